# Emails of a later time. A task publishes on the topic of emails by Pub/Sub's own REST API, so no function is its target.
resource "google_cloud_tasks_queue" "later" {
  name     = "${var.name_prefix}-later"
  location = var.region
  rate_limits {
    max_dispatches_per_second = 50 # a day's parked emails come back at once
    max_concurrent_dispatches = 50
  }
  retry_config {
    max_attempts  = -1 # a task that is given up is a lost email
    min_backoff   = "10s"
    max_backoff   = "600s"
    max_doublings = 6
  }
  stackdriver_logging_config {
    sampling_ratio = 1
  }
  depends_on = [google_project_service.this]
}

# Putting an email off, looking at it and taking it back. The predefined roles would add the listing of all tasks.
resource "google_project_iam_custom_role" "timetable" {
  role_id     = "${replace(var.name_prefix, "-", "_")}_timetable"
  title       = "mailgrant: puts mails off"
  permissions = ["cloudtasks.tasks.create", "cloudtasks.tasks.delete", "cloudtasks.tasks.fullView", "cloudtasks.tasks.get"]
  depends_on  = [google_project_service.this]
}

resource "google_cloud_tasks_queue_iam_member" "carry" {
  for_each = toset(local.carriers)
  name     = google_cloud_tasks_queue.later.name
  location = google_cloud_tasks_queue.later.location
  role     = google_project_iam_custom_role.timetable.id
  member   = google_service_account.this[each.key].member
}

# A task carries the token of the tasks account: whoever creates a task acts as that account.
resource "google_service_account_iam_member" "act_as_tasks" {
  for_each           = toset(local.carriers)
  service_account_id = google_service_account.this["tasks"].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this[each.key].member
}
