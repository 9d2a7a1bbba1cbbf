# The pipeline, in four builds with an account each (docs/decisions/088): `check` runs everything that comes from npm and may do nothing;
# `plan` may look and nothing else; `apply`, after a person's approval, applies that plan; `smoke` sends one mail. Cloud Build says on the
# topic cloud-builds that a build has ended, and that starts the next one.
locals {
  build_after = { check = null, plan = "check", apply = "plan", smoke = "apply" }
  build_files = var.build == null ? {} : local.build_after
  # The message of Cloud Build about the build before. A step compares the commit: the branch may have moved on.
  build_told = {
    _STATUS = "$(body.message.data.status)"
    _BEFORE = "$(body.message.data.substitutions.TRIGGER_NAME)"
    _COMMIT = "$(body.message.data.substitutions.COMMIT_SHA)"
    _BUILD  = "$(body.message.data.id)"
  }
  build_file    = { check = "cloudbuild.yaml", plan = "infra/builds/plan.yaml", apply = "infra/builds/apply.yaml", smoke = "infra/builds/smoke.yaml" }
  build_account = { check = "check", plan = "plan", apply = "deploy", smoke = "smoke" }
  build_settings = merge(
    { _REGION = var.region, _PREFIX = var.name_prefix, _DATABASE = var.database },
    try(var.build.env, "") == "" ? {} : { _ENV = var.build.env },
  )
  # Which of them a file uses; Cloud Build refuses a value that is not used.
  build_uses = {
    check = ["_PREFIX", "_ENV"]
    plan  = ["_REGION", "_PREFIX", "_ENV"]
    apply = ["_REGION", "_PREFIX", "_ENV"]
    smoke = ["_PREFIX", "_DATABASE", "_ENV"]
  }
  state_bucket = coalesce(try(var.build.state_bucket, null), "${var.project_id}-mailgrant-state")
}

resource "google_cloudbuild_trigger" "pipeline" {
  for_each        = local.build_files
  name            = "${var.name_prefix}-${each.key}"
  location        = split("/", var.build.repository)[3] # a trigger is where its repository is
  description     = "${local.build_file[each.key]} as the account ${local.build_account[each.key]}."
  service_account = google_service_account.this[local.build_account[each.key]].id
  filename        = each.value == null ? local.build_file[each.key] : null
  filter          = each.value == null ? null : "_STATUS == \"SUCCESS\" && _BEFORE == \"${var.name_prefix}-${each.value}\""
  dynamic "repository_event_config" {
    for_each = each.value == null ? [1] : []
    content {
      repository = var.build.repository
      push {
        branch = "^${replace(var.build.branch, ".", "\\.")}$"
      }
    }
  }
  dynamic "pubsub_config" {
    for_each = each.value == null ? [] : [1]
    content {
      topic = "projects/${var.project_id}/topics/cloud-builds"
    }
  }
  dynamic "source_to_build" {
    for_each = each.value == null ? [] : [1]
    content {
      repository = var.build.repository
      ref        = "refs/heads/${var.build.branch}"
      repo_type  = "UNKNOWN"
    }
  }
  dynamic "git_file_source" {
    for_each = each.value == null ? [] : [1]
    content {
      path       = local.build_file[each.key]
      repository = var.build.repository
      revision   = "refs/heads/${var.build.branch}"
      repo_type  = "UNKNOWN"
    }
  }
  approval_config {
    approval_required = each.key == "apply" && var.build.approval
  }
  substitutions = merge(
    { for name, value in local.build_settings : name => value if contains(local.build_uses[each.key], name) },
    each.value == null ? {} : local.build_told,
    contains(["plan", "apply"], each.key) ? { _STATE_BUCKET = local.state_bucket } : {},
  )
  depends_on = [google_project_iam_member.pipeline, google_storage_bucket_iam_member.pipeline, google_service_account_iam_member.deploy_acts_as, google_pubsub_topic.route]
}

# Roles of the pipeline. None of them holds a permission that leads to more rights (`test/infra/permissions.test.ts`): no setIamPolicy, no token or key
# of an account, no change of a role, no reading of secrets. What needs one of those is applied by a person, by `npx mailgrant deploy`.
locals {
  looks = [
    "artifactregistry.repositories.get", "artifactregistry.repositories.getIamPolicy", "cloudbuild.builds.get", "cloudbuild.builds.list",
    "cloudfunctions.functions.get", "cloudfunctions.functions.getIamPolicy", "cloudfunctions.operations.get", "cloudscheduler.jobs.get",
    "cloudtasks.queues.get", "cloudtasks.queues.getIamPolicy", "datastore.databases.get", "datastore.databases.getMetadata", "datastore.indexes.get",
    "datastore.indexes.list", "datastore.operations.get", "eventarc.operations.get", "eventarc.triggers.get", "iam.roles.get", "iam.serviceAccounts.get",
    "iam.serviceAccounts.getIamPolicy", "logging.logMetrics.get", "monitoring.alertPolicies.get", "monitoring.dashboards.get",
    "monitoring.notificationChannels.get", "pubsub.subscriptions.get", "pubsub.subscriptions.getIamPolicy", "pubsub.topics.get", "pubsub.topics.getIamPolicy",
    "resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "run.operations.get", "run.services.get", "run.services.getIamPolicy",
    "secretmanager.secrets.get", "secretmanager.secrets.getIamPolicy", "secretmanager.versions.list", "serviceusage.services.get",
    "serviceusage.services.list", "serviceusage.services.use", "storage.buckets.get", "storage.buckets.getIamPolicy",
  ]
  changes = [
    "artifactregistry.repositories.update", "cloudfunctions.functions.create", "cloudfunctions.functions.update", "cloudscheduler.jobs.create",
    "cloudscheduler.jobs.delete", "cloudscheduler.jobs.update", "cloudtasks.queues.update", "datastore.indexes.update", "eventarc.triggers.update",
    "logging.logMetrics.create", "logging.logMetrics.delete", "logging.logMetrics.update", "monitoring.alertPolicies.create",
    "monitoring.alertPolicies.delete", "monitoring.alertPolicies.update", "monitoring.dashboards.create", "monitoring.dashboards.delete",
    "monitoring.dashboards.update", "monitoring.notificationChannels.create", "monitoring.notificationChannels.delete",
    "monitoring.notificationChannels.update", "pubsub.subscriptions.update", "pubsub.topics.attachSubscription", "pubsub.topics.update",
    "secretmanager.secrets.update",
  ]
  pipeline_roles = var.build == null ? {} : {
    plan   = { title = "mailgrant: looks at a deployment", permissions = local.looks }
    deploy = { title = "mailgrant: changes a deployment, but nobody's rights", permissions = concat(local.looks, local.changes) }
    smoke  = { title = "mailgrant: sees whether a mailbox has a grant", permissions = ["secretmanager.versions.list", "serviceusage.services.use"] }
  }
  # Whoever makes a function, a push, a job or a trigger that runs as an account must be allowed to act as it.
  acted_as = var.build == null ? toset([]) : setsubtract(keys(local.accounts), ["check", "delegate", "deploy", "plan", "smoke", "tasks"])
}

resource "google_project_iam_custom_role" "pipeline" {
  for_each    = local.pipeline_roles
  role_id     = "${replace(var.name_prefix, "-", "_")}_${each.key}"
  title       = each.value.title
  permissions = each.value.permissions
  depends_on  = [google_project_service.this]
}

resource "google_project_iam_member" "pipeline" {
  for_each = local.pipeline_roles
  project  = var.project_id
  role     = google_project_iam_custom_role.pipeline[each.key].id
  member   = google_service_account.this[each.key].member
}

resource "google_project_iam_member" "pipeline_logs" {
  for_each = toset(var.build == null ? [] : values(local.build_account))
  project  = var.project_id
  role     = "roles/logging.logWriter"
  member   = google_service_account.this[each.key].member
}

# On each account of ours, not on the project: others there, such as Compute Engine's default one, may hold roles/editor.
resource "google_service_account_iam_member" "deploy_acts_as" {
  for_each           = local.acted_as
  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this["deploy"].member
}

# What one build leaves for the next: archives from check, the plan from plan. Nobody overwrites what another build has left:
# objectCreator makes new objects only.
locals {
  handed_over = var.build == null ? {} : {
    check_archives = { account = "check", bucket = google_storage_bucket.source.name, role = "roles/storage.objectCreator", below = "builds/" }
    plan_plans     = { account = "plan", bucket = google_storage_bucket.source.name, role = "roles/storage.objectCreator", below = "plans/" }
    plan_reads     = { account = "plan", bucket = google_storage_bucket.source.name, role = "roles/storage.objectViewer", below = "" }
    plan_state     = { account = "plan", bucket = local.state_bucket, role = "roles/storage.objectViewer", below = "" }
    deploy_state   = { account = "deploy", bucket = local.state_bucket, role = "roles/storage.objectUser", below = "" }
    deploy_source  = { account = "deploy", bucket = google_storage_bucket.source.name, role = "roles/storage.objectUser", below = "" }
  }
}

resource "google_storage_bucket_iam_member" "pipeline" {
  for_each = local.handed_over
  bucket   = each.value.bucket
  role     = each.value.role
  member   = google_service_account.this[each.value.account].member
  dynamic "condition" {
    for_each = each.value.below == "" ? [] : [each.value.below]
    content {
      title      = "only-${trimsuffix(condition.value, "/")}"
      expression = "resource.name.startsWith(\"projects/_/buckets/${each.value.bucket}/objects/${condition.value}\")"
    }
  }
}

# The email at the end is put into the queue as any caller would.
resource "google_pubsub_topic_iam_member" "smoke" {
  count  = var.build == null ? 0 : 1
  topic  = google_pubsub_topic.mails.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.this["smoke"].member
}

resource "google_project_iam_member" "smoke_ledger" {
  count   = var.build == null ? 0 : 1
  project = var.project_id
  role    = "roles/datastore.user"
  member  = google_service_account.this["smoke"].member
  condition {
    title      = "ledger-only"
    expression = "resource.name == \"projects/${var.project_id}/databases/${var.database}\""
  }
}
