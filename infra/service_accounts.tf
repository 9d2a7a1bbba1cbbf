locals {
  own_delegate = "${var.name_prefix}-delegate@${var.project_id}.iam.gserviceaccount.com"
  delegates    = toset([for one in local.delegated : one.delegate])
  # A custom role counts only in its own project: signing as an account of another one is granted there, by hand.
  near_delegates = toset([for email in local.delegates : email if endswith(email, "@${var.project_id}.iam.gserviceaccount.com")])

  accounts = merge(
    { for name in keys(local.functions) : name => "mailgrant: function ${name}" },
    {
      push     = "mailgrant: calls worker for Pub/Sub"
      tasks    = "mailgrant: publishes an email when its time has come"
      schedule = "mailgrant: calls watch"
      build    = "mailgrant: builds the functions"
    },
    contains(local.delegates, local.own_delegate) ? { delegate = "mailgrant: domain-wide delegation, holds no role" } : {},
    local.documents == null ? {} : { events = "mailgrant: calls worker for Firestore's documents" },
    var.build == null ? {} : {
      check  = "mailgrant: the pipeline's tests and builds, may do nothing"
      plan   = "mailgrant: the pipeline's plan, may look"
      deploy = "mailgrant: the pipeline's apply"
      smoke  = "mailgrant: the pipeline's mail at the end"
    },
  )
}

resource "google_service_account" "this" {
  for_each     = local.accounts
  account_id   = "${var.name_prefix}-${each.key}"
  display_name = each.value
  depends_on   = [google_project_service.this]
}

# Keyless delegation: signing a JWT as the delegate and nothing else. roles/iam.serviceAccountTokenCreator would add
# getAccessToken, signBlob and implicitDelegation.
resource "google_project_iam_custom_role" "jwt_signer" {
  count       = length(local.near_delegates) > 0 ? 1 : 0
  role_id     = "${replace(var.name_prefix, "-", "_")}_jwt_signer"
  title       = "mailgrant: signs JWTs for delegated mailboxes"
  permissions = ["iam.serviceAccounts.signJwt"]
  depends_on  = [google_project_service.this]
}

resource "google_service_account_iam_member" "jwt_signer" {
  for_each           = merge([for email in local.near_delegates : { for name in local.minters : "${name}/${email}" => { name = name, email = email } }]...)
  service_account_id = "projects/${var.project_id}/serviceAccounts/${each.value.email}"
  role               = google_project_iam_custom_role.jwt_signer[0].id
  member             = google_service_account.this[each.value.name].member
  depends_on         = [google_service_account.this]
}

# The builder: logs, images, source. Not roles/cloudbuild.builds.builder, which also writes to every bucket.
resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.this["build"].member
}

resource "google_project_iam_member" "build_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.this["build"].member
  condition {
    title      = "function-sources"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\") || resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.source.name}\")"
  }
}

resource "google_artifact_registry_repository_iam_member" "build_images" {
  location   = google_artifact_registry_repository.functions.location
  repository = google_artifact_registry_repository.functions.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.this["build"].member
}
