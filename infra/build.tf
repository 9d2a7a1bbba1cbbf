resource "google_cloudbuild_trigger" "deploy" {
  count           = var.build == null ? 0 : 1
  name            = "${var.name_prefix}-deploy"
  location        = split("/", var.build.repository)[3] # a trigger is where its repository is
  description     = "Tests, plans and applies cloudbuild.yaml as the deploy account."
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.this["deploy"].id
  repository_event_config {
    repository = var.build.repository
    push {
      branch = var.build.branch
    }
  }
  approval_config {
    approval_required = var.build.approval
  }
  substitutions = merge(
    { _REGION = var.region, _PREFIX = var.name_prefix, _DATABASE = var.database },
    var.build.state_bucket == null ? {} : { _STATE_BUCKET = var.build.state_bucket },
  )
  depends_on = [google_project_iam_member.deploy, google_service_account_iam_member.deploy_acts_as]
}

# What an apply of this directory needs; still far from roles/editor. Custom roles and the pipeline's own rights are only looked at
# here: who could change those could take any right of the project. A person applies such a change, by `npx mailgrant deploy`.
locals {
  deploy_roles = var.build == null ? [] : concat(
    [
      "roles/artifactregistry.admin", "roles/cloudbuild.builds.editor", "roles/cloudfunctions.admin", "roles/cloudscheduler.admin",
      "roles/cloudtasks.queueAdmin", "roles/datastore.owner", "roles/iam.roleViewer", "roles/iam.serviceAccountAdmin",
      "roles/logging.configWriter", "roles/logging.logWriter", "roles/monitoring.editor", "roles/pubsub.admin", "roles/run.admin",
      "roles/serviceusage.serviceUsageAdmin", "roles/storage.admin",
    ],
    local.documents == null ? [] : ["roles/eventarc.admin"],
  )
  # The project roles that accounts of functions and callers hold, and so the only ones the pipeline may hand out.
  granted_roles = ["roles/datastore.user", "roles/eventarc.eventReceiver", "roles/logging.logWriter", "roles/storage.objectViewer"]
  # Whoever makes a function, a push, a job or a trigger that runs as an account must be allowed to act as it.
  acted_as = var.build == null ? toset([]) : setsubtract(keys(local.accounts), ["delegate", "tasks"])
}

# On each account of ours, not on the project: others there, such as Compute Engine's default one, may hold roles/editor.
resource "google_service_account_iam_member" "deploy_acts_as" {
  for_each           = local.acted_as
  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this["deploy"].member
}

# Making secrets and saying who reads them, without reading them: roles/secretmanager.admin would hand over every grant.
resource "google_project_iam_custom_role" "secret_keeper" {
  count   = var.build == null ? 0 : 1
  role_id = "${replace(var.name_prefix, "-", "_")}_secret_keeper"
  title   = "mailgrant: keeps secrets without reading them"
  permissions = [
    "secretmanager.secrets.create", "secretmanager.secrets.delete", "secretmanager.secrets.get", "secretmanager.secrets.getIamPolicy",
    "secretmanager.secrets.list", "secretmanager.secrets.setIamPolicy", "secretmanager.secrets.update", "secretmanager.versions.get",
    "secretmanager.versions.list",
  ]
  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "deploy_secrets" {
  count   = var.build == null ? 0 : 1
  project = var.project_id
  role    = google_project_iam_custom_role.secret_keeper[0].id
  member  = google_service_account.this["deploy"].member
}

resource "google_project_iam_member" "deploy" {
  for_each = toset(local.deploy_roles)
  project  = var.project_id
  role     = each.key
  member   = google_service_account.this["deploy"].member
}

resource "google_project_iam_member" "deploy_grants" {
  count   = var.build == null ? 0 : 1
  project = var.project_id
  role    = "roles/resourcemanager.projectIamAdmin"
  member  = google_service_account.this["deploy"].member
  condition {
    title      = "only-our-roles"
    expression = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(${jsonencode(local.granted_roles)})"
  }
}
