# What Gmail reports of mailboxes with `bounces: true` (docs/bounces.md). Nothing of it exists where none has that.
locals {
  bouncing    = sort([for address, one in local.mailboxes : address if one.bounces])
  inbox       = length(local.bouncing) > 0 ? 1 : 0
  inbox_topic = "projects/${var.project_id}/topics/${var.name_prefix}-inbox"
}

resource "google_pubsub_topic" "inbox" {
  count        = local.inbox
  name         = "${var.name_prefix}-inbox"
  kms_key_name = var.kms_key
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
  depends_on = [google_project_service.this]
}

# Gmail's own account, the same for everybody: on this topic and nowhere else. The worker takes from a message only which configured mailbox to
# look into.
resource "google_pubsub_topic_iam_member" "gmail" {
  count  = local.inbox
  topic  = google_pubsub_topic.inbox[0].id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:gmail-api-push@system.gserviceaccount.com"
}

# No dead letters: what is lost here the sweep finds in the mailbox.
resource "google_pubsub_subscription" "inbox" {
  count                      = local.inbox
  name                       = "${var.name_prefix}-inbox"
  topic                      = google_pubsub_topic.inbox[0].id
  ack_deadline_seconds       = local.functions["worker"].timeout + 30
  message_retention_duration = "86400s"
  expiration_policy {
    ttl = ""
  }
  retry_policy {
    minimum_backoff = var.queue.min_backoff
    maximum_backoff = var.queue.max_backoff
  }
  push_config {
    push_endpoint = "${local.worker_url}/inbox"
    oidc_token {
      service_account_email = google_service_account.this["push"].email
      audience              = local.worker_url
    }
  }
  depends_on = [
    google_cloud_run_v2_service_iam_member.worker, google_service_account_iam_member.push_token,
    google_service_account_iam_member.deploy_acts_as,
  ]
}

# Notifications may be late or lost; Google advises to look by oneself too.
resource "google_cloud_scheduler_job" "inbox" {
  count            = local.inbox
  name             = "${var.name_prefix}-inbox"
  region           = var.region
  description      = "Looks through the watched mailboxes for bounces."
  schedule         = "41 * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${local.functions["worker"].timeout}s"
  http_target {
    http_method = "POST"
    uri         = "${local.worker_url}/inbox/sweep"
    oidc_token {
      service_account_email = google_service_account.this["schedule"].email
      audience              = local.worker_url
    }
  }
  depends_on = [google_project_service.this, google_cloud_run_v2_service_iam_member.worker, google_service_account_iam_member.deploy_acts_as]
}
