# Event targets (docs/events.md). Nothing of this file is created where the configuration has no target.
locals {
  events        = merge({}, try(local.config.events, {}))
  event_urls    = { for name, one in local.events : name => one if can(one.secret) }
  event_secrets = { for secret in distinct([for one in local.event_urls : one.secret]) : secret => sort([for name, one in local.event_urls : name if one.secret == secret]) }
  event_topics  = distinct([for one in local.events : startswith(one.topic, "projects/") ? one.topic : "projects/${var.project_id}/topics/${one.topic}" if can(one.topic)])
  # A topic of another project is granted there.
  own_event_topics = [for topic in local.event_topics : trimprefix(topic, "projects/${var.project_id}/topics/") if startswith(topic, "projects/${var.project_id}/")]
  event_queue      = length(local.event_urls) > 0 ? 1 : 0
  telling = length(local.event_urls) == 0 ? {} : {
    MAILGRANT_EVENT_TASKS = "projects/${var.project_id}/locations/${var.region}/queues/${google_cloud_tasks_queue.events[0].name}"
    MAILGRANT_WORKER_URL  = local.worker_url
  }
}

# A task makes the worker post one event. After a day the worker publishes a dead letter; the queue itself never ends a task.
resource "google_cloud_tasks_queue" "events" {
  count    = local.event_queue
  name     = "${var.name_prefix}-events"
  location = var.region
  rate_limits {
    max_dispatches_per_second = 20
    max_concurrent_dispatches = 10 # receivers that hang must not take every request that worker has
  }
  retry_config {
    max_attempts  = -1
    min_backoff   = "10s"
    max_backoff   = "3600s"
    max_doublings = 9
  }
  stackdriver_logging_config {
    sampling_ratio = 1
  }
  depends_on = [google_project_service.this]
}

resource "google_project_iam_custom_role" "event_teller" {
  count       = local.event_queue
  role_id     = "${replace(var.name_prefix, "-", "_")}_event_teller"
  title       = "mailgrant: hands events over"
  permissions = ["cloudtasks.tasks.create"]
  depends_on  = [google_project_service.this]
}

resource "google_cloud_tasks_queue_iam_member" "events" {
  for_each = toset(local.event_queue == 0 ? [] : local.carriers)
  name     = google_cloud_tasks_queue.events[0].name
  location = google_cloud_tasks_queue.events[0].location
  role     = google_project_iam_custom_role.event_teller[0].id
  member   = google_service_account.this[each.key].member
}

resource "google_pubsub_topic_iam_member" "events" {
  for_each = merge([for name in local.carriers : { for topic in local.own_event_topics : "${name}/${topic}" => { name = name, topic = topic } }]...)
  project  = var.project_id
  topic    = each.value.topic
  role     = "roles/pubsub.publisher"
  member   = google_service_account.this[each.value.name].member
}

resource "google_secret_manager_secret" "events" {
  for_each            = local.event_secrets
  secret_id           = each.key
  annotations         = { events = join(",", each.value) }
  version_destroy_ttl = "604800s"
  deletion_protection = true
  deletion_policy     = "ABANDON"
  replication {
    user_managed {
      replicas {
        location = var.region
        dynamic "customer_managed_encryption" {
          for_each = var.kms_key[*]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [replication]
  }
  depends_on = [google_project_service.this]
}

# Only the worker signs events.
resource "google_secret_manager_secret_iam_member" "events" {
  for_each  = google_secret_manager_secret.events
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this["worker"].member
}

# What a crash left in the ledger between a change and its task.
resource "google_cloud_scheduler_job" "events" {
  count            = length(local.events) > 0 ? 1 : 0
  name             = "${var.name_prefix}-events"
  region           = var.region
  description      = "Hands over events that were left in the ledger."
  schedule         = "*/10 * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${local.functions["worker"].timeout}s"
  http_target {
    http_method = "POST"
    uri         = "${local.worker_url}/events/sweep"
    oidc_token {
      service_account_email = google_service_account.this["schedule"].email
      audience              = local.worker_url
    }
  }
  depends_on = [google_project_service.this, google_cloud_run_v2_service_iam_member.worker, google_service_account_iam_member.deploy_acts_as]
}
