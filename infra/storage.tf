resource "google_storage_bucket" "source" {
  name                        = "${var.project_id}-${var.name_prefix}-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # holds nothing that a build would not make again
  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition { # not what Terraform uploads: a deletion behind its back would be a change in every plan
      age            = 400
      matches_prefix = ["builds/", "plans/"]
    }
  }
  depends_on = [google_project_service.this]
}

# The name carries the hash: under a constant name new code would never be deployed, and the same code is not deployed twice.
resource "google_storage_bucket_object" "source" {
  for_each = local.functions
  name     = "${each.key}-${filesha256("${var.dist}/${each.key}.zip")}.zip"
  bucket   = google_storage_bucket.source.name
  source   = "${var.dist}/${each.key}.zip"
  lifecycle {
    create_before_destroy = true # a function whose build fails keeps the archive that it runs
  }
}

# Emails too big for a Pub/Sub message (10 MB) or a task (1 MB), until they are sent; those that never are, by age.
resource "google_storage_bucket" "content" {
  name                        = "${var.project_id}-${var.name_prefix}-content"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }
  soft_delete_policy {
    retention_duration_seconds = 0 # what was deleted is gone: these are people's emails
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 64 # an email waits 30 days for its time at most, and as long as the ledger knows it, 33 days more, its dead letter can be sent
    }
  }
  depends_on = [google_project_service.this]
}

# Kept, read, overwritten when a call is made twice, removed when sent; in this bucket alone. It takes the right to list, too, for
# Cloud Storage to say 404 of what is not there.
resource "google_storage_bucket_iam_member" "content" {
  for_each = toset(local.carriers)
  bucket   = google_storage_bucket.content.name
  role     = "roles/storage.objectUser"
  member   = google_service_account.this[each.key].member
}

resource "google_artifact_registry_repository" "functions" {
  repository_id = "${var.name_prefix}-functions"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the functions, built from the source archives."
  kms_key_name  = var.kms_key
  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }
  depends_on = [google_project_service.this]
}
