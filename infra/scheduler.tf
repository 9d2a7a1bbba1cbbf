resource "google_cloud_scheduler_job" "watch" {
  name             = "${var.name_prefix}-watch"
  region           = var.region
  description      = "Looks at every grant, so that a dead one is known before an email is lost."
  schedule         = var.watch_schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "${local.functions["watch"].timeout}s"
  retry_config {
    retry_count = 2
  }
  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.this["watch"].service_config[0].uri
    oidc_token {
      service_account_email = google_service_account.this["schedule"].email
      audience              = google_cloudfunctions2_function.this["watch"].service_config[0].uri
    }
  }
  depends_on = [google_project_service.this, google_cloud_run_v2_service_iam_member.watch, google_service_account_iam_member.deploy_acts_as]
}
