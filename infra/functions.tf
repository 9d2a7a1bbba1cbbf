locals {
  # Who hands an email to Gmail, and so reads grants. With `delivery: queued` api and hooks only publish.
  senders = local.delivery == "queued" ? ["worker"] : [for name in ["api", "worker", "hooks"] : name if contains(keys(local.functions), name)]
  minters = concat(local.senders, ["watch"])
  # Who takes emails in or moves them on: ledger, topic, bucket, tasks.
  carriers = [for name in ["api", "worker", "hooks"] : name if contains(keys(local.functions), name)]

  ingress = { private = "ALLOW_INTERNAL_AND_GCLB", iam = "ALLOW_ALL", public = "ALLOW_ALL" }

  # An email of 24 MB of attachments takes some 80 MB above an idle instance in api (docs/decisions/057), and more in worker, where
  # its message is text first: four at a time fit 1 GiB.
  usual = { memory = "1Gi", cpu = "1", concurrency = 4, min_instances = 0, max_instances = 5, timeout = 60 }
  functions = {
    for name, one in {
      api    = { size = {}, ingress = local.ingress[var.access.api], about = "Takes emails over HTTP: Resend's wire API and raw MIME." }
      worker = { size = {}, ingress = "ALLOW_INTERNAL_ONLY", about = "Sends the emails of the queue and of the routes' topics." }
      hooks  = { size = {}, ingress = local.ingress[var.access.hooks], about = "Takes signed webhooks and makes emails of them." }
      watch  = { size = { memory = "512Mi", concurrency = 1, max_instances = 1, timeout = 300 }, ingress = "ALLOW_INTERNAL_ONLY", about = "Looks at every grant." }
    } : name => merge(local.usual, one.size, { for setting, value in try(var.functions[name], {}) : setting => value if value != null }, { ingress = one.ingress, about = one.about })
    if name != "hooks" || length(local.hooks) > 0
  }

  # The address that Cloud Run gives a service before it exists: the worker can be told its own audience without a cycle.
  worker_url = "https://${var.name_prefix}-worker-${data.google_project.this.number}.${var.region}.run.app"

  # Written out, where `.id` would be known only after an apply.
  carrying = merge(local.telling, {
    MAILGRANT_TOPIC         = "projects/${var.project_id}/topics/${google_pubsub_topic.mails.name}"
    MAILGRANT_BUCKET        = google_storage_bucket.content.name
    MAILGRANT_TASKS         = "projects/${var.project_id}/locations/${var.region}/queues/${google_cloud_tasks_queue.later.name}"
    MAILGRANT_TASKS_ACCOUNT = google_service_account.this["tasks"].email
    MAILGRANT_STOPPED       = tostring(var.stopped)
  })
  environment = {
    api    = merge(local.carrying, { MAILGRANT_TRUST_IAM = tostring(var.access.api != "public") })
    worker = merge(local.carrying, { MAILGRANT_DEAD_TOPIC = "projects/${var.project_id}/topics/${google_pubsub_topic.dead.name}", MAILGRANT_PUSH_AUDIENCE = local.worker_url })
    hooks  = local.carrying
    watch  = local.inbox == 0 ? {} : { MAILGRANT_INBOX_TOPIC = local.inbox_topic }
  }
}

resource "google_cloudfunctions2_function" "this" {
  for_each     = local.functions
  name         = "${var.name_prefix}-${each.key}"
  location     = var.region
  description  = each.value.about
  kms_key_name = var.kms_key

  build_config {
    runtime           = var.runtime
    entry_point       = each.key
    service_account   = google_service_account.this["build"].id
    docker_repository = google_artifact_registry_repository.functions.id
    automatic_update_policy {} # Google's security updates of Node come without a deployment
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source[each.key].name
      }
    }
  }

  # Secrets are read by name while running, not mounted here: a rotated grant then needs no deployment.
  service_config {
    service_account_email            = google_service_account.this[each.key].email
    ingress_settings                 = each.value.ingress
    all_traffic_on_latest_revision   = true
    min_instance_count               = each.value.min_instances
    max_instance_count               = each.value.max_instances
    max_instance_request_concurrency = each.value.concurrency
    available_memory                 = each.value.memory
    available_cpu                    = each.value.cpu
    timeout_seconds                  = each.value.timeout
    environment_variables = merge({
      GOOGLE_CLOUD_PROJECT       = var.project_id
      MAILGRANT_DATABASE         = var.database
      MAILGRANT_DEADLINE_SECONDS = tostring(each.value.timeout - 10) # the answer must be out before Cloud Run cuts the line
    }, local.environment[each.key])
  }

  # The first build must find the builder's grants, and the pipeline its right to act as a new account.
  depends_on = [google_project_service.this, terraform_data.settled, google_service_account_iam_member.deploy_acts_as]
}

# A function is a Cloud Run service of the same name, and run.invoker there opens it. A function that is replaced comes
# back without its policy, hence replace_triggered_by on every member.
resource "google_cloud_run_v2_service_iam_member" "api" {
  for_each = merge(
    { for member in var.callers.api : member => member },
    { for email in local.identities : email => "${endswith(email, ".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}" },
    var.access.api == "public" ? { everyone = "allUsers" } : {},
  )
  location = google_cloudfunctions2_function.this["api"].location
  name     = google_cloudfunctions2_function.this["api"].name
  role     = "roles/run.invoker"
  member   = each.value
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this["api"].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "hooks" {
  for_each = merge(
    { for member in var.callers.hooks : member => member },
    var.access.hooks == "public" ? { everyone = "allUsers" } : {},
  )
  location = google_cloudfunctions2_function.this["hooks"].location
  name     = google_cloudfunctions2_function.this["hooks"].name
  role     = "roles/run.invoker"
  member   = each.value
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this["hooks"].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "worker" {
  for_each = toset(concat(["push"], local.documents == null ? [] : ["events"], local.event_queue == 0 ? [] : ["tasks"], length(local.events) + local.inbox == 0 ? [] : ["schedule"]))
  location = google_cloudfunctions2_function.this["worker"].location
  name     = google_cloudfunctions2_function.this["worker"].name
  role     = "roles/run.invoker"
  member   = google_service_account.this[each.key].member
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this["worker"].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "watch" {
  location = google_cloudfunctions2_function.this["watch"].location
  name     = google_cloudfunctions2_function.this["watch"].name
  role     = "roles/run.invoker"
  member   = google_service_account.this["schedule"].member
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this["watch"].id]
  }
}
