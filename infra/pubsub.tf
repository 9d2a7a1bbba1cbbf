resource "google_pubsub_topic" "mails" {
  name                       = "${var.name_prefix}-mails"
  kms_key_name               = var.kms_key
  message_retention_duration = var.queue.retention # lets a subscription go back in time
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic" "dead" {
  name         = "${var.name_prefix}-dead"
  kms_key_name = var.kms_key
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic" "route" {
  for_each     = var.create_topics
  name         = each.key
  kms_key_name = var.kms_key
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
  depends_on = [google_project_service.this]
}

# Our own push subscriptions, not event_trigger's hidden one: that one has no dead letters, no backoff and a day's retention.
locals {
  subscriptions = merge(
    { mails = { name = "worker", topic = google_pubsub_topic.mails.id, path = "" } },
    { for name, topic in local.topics : "route/${name}" => { name = "route-${name}", topic = topic, path = "/routes/${name}" } },
  )
}

resource "google_pubsub_subscription" "push" {
  for_each                   = local.subscriptions
  name                       = "${var.name_prefix}-${each.value.name}"
  topic                      = each.value.topic
  ack_deadline_seconds       = local.functions["worker"].timeout + 30 # a push slower than this comes a second time
  message_retention_duration = var.queue.retention
  expiration_policy {
    ttl = "" # never; the default is 31 idle days
  }
  retry_policy {
    minimum_backoff = var.queue.min_backoff
    maximum_backoff = var.queue.max_backoff
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 8 # DELIVERIES_MAX of functions/mail/queue/settle-message.ts: worker gives up at the last, and says why
  }
  push_config {
    push_endpoint = "${local.worker_url}${each.value.path}"
    oidc_token {
      service_account_email = google_service_account.this["push"].email
      audience              = local.worker_url
    }
  }
  # The first push must find the door open, and its dead letters their topic.
  depends_on = [
    google_cloud_run_v2_service_iam_member.worker, google_pubsub_topic_iam_member.dead_letter,
    google_service_account_iam_member.push_token, google_service_account_iam_member.deploy_acts_as, google_pubsub_topic.route,
  ]
}

# Without a subscription of their own the dead letters would be dropped.
resource "google_pubsub_subscription" "dead" {
  name                       = "${var.name_prefix}-dead"
  topic                      = google_pubsub_topic.dead.id
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"
  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub's own agent moves the dead letters: it publishes there and acknowledges here. Without both nothing is moved.
resource "google_pubsub_topic_iam_member" "dead_letter" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter" {
  for_each     = google_pubsub_subscription.push
  subscription = each.value.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# The agent mints the push's token: on this one account, not on the project.
resource "google_service_account_iam_member" "push_token" {
  service_account_id = google_service_account.this["push"].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "publish" {
  for_each = toset(concat(local.carriers, ["tasks"]))
  topic    = google_pubsub_topic.mails.id
  role     = "roles/pubsub.publisher"
  member   = google_service_account.this[each.key].member
}

# worker gives up on an email with its reason as an attribute, before Pub/Sub does without one.
resource "google_pubsub_topic_iam_member" "give_up" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.this["worker"].member
}
