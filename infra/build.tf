resource "google_cloudbuild_trigger" "deploy" {
  count           = var.build == null ? 0 : 1
  name            = "${var.name_prefix}-deploy"
  location        = var.region
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
  substitutions = { _REGION = var.region, _PREFIX = var.name_prefix }
  depends_on    = [google_project_iam_member.deploy]
}

# What an apply of this directory needs; still far from roles/editor.
locals {
  deploy_roles = var.build == null ? [] : concat(
    [
      "roles/artifactregistry.admin", "roles/cloudbuild.builds.editor", "roles/cloudfunctions.admin", "roles/cloudscheduler.admin",
      "roles/cloudtasks.queueAdmin", "roles/datastore.owner", "roles/iam.roleAdmin", "roles/iam.serviceAccountAdmin",
      "roles/iam.serviceAccountUser", "roles/logging.configWriter", "roles/logging.logWriter", "roles/monitoring.editor",
      "roles/pubsub.admin", "roles/run.admin", "roles/serviceusage.serviceUsageAdmin", "roles/storage.admin",
    ],
    local.documents == null ? [] : ["roles/eventarc.admin"],
  )
  # The project roles that this directory hands out, and so the only ones the pipeline may.
  granted_roles = concat(
    google_project_iam_custom_role.secret_keeper[*].id,
    ["roles/datastore.user", "roles/eventarc.eventReceiver", "roles/logging.logWriter", "roles/resourcemanager.projectIamAdmin", "roles/storage.objectViewer"],
    local.deploy_roles,
  )
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
    expression = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(${jsonencode(distinct(local.granted_roles))})"
  }
}
