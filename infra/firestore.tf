resource "google_firestore_database" "ledger" {
  count                       = var.create_database ? 1 : 0
  name                        = var.database
  location_id                 = var.region
  type                        = "FIRESTORE_NATIVE"
  concurrency_mode            = "PESSIMISTIC"
  app_engine_integration_mode = "DISABLED"
  delete_protection_state     = "DELETE_PROTECTION_ENABLED"
  deletion_policy             = "ABANDON" # `terraform destroy` leaves the record of what was sent
  dynamic "cmek_config" {
    for_each = var.kms_key[*]
    content {
      kms_key_name = cmek_config.value
    }
  }
  depends_on = [google_project_service.this]
}

# Deletion follows expireAt within a day or so; the code compares expireAt itself.
resource "google_firestore_field" "ttl" {
  for_each   = toset(["mails", "keys", "counters", "digests", "suppressions"])
  database   = var.database
  collection = each.key
  field      = "expireAt"
  skip_wait  = true # Google takes up to twenty minutes, and nothing here waits for it
  ttl_config {}
  index_config {} # an index on a time that only grows would slow every write down
  depends_on = [google_firestore_database.ledger, google_project_service.this]
}

# It counts the emails whose message does not come.
resource "google_project_iam_member" "ledger_watch" {
  project = var.project_id
  role    = "roles/datastore.viewer"
  member  = google_service_account.this["watch"].member
  condition {
    title      = "ledger-only"
    expression = "resource.name == \"projects/${var.project_id}/databases/${var.database}\""
  }
}

# `GET /emails`: a caller's own, by time; one index for each direction of a page.
resource "google_firestore_index" "list" {
  for_each   = toset(["ASCENDING", "DESCENDING"])
  database   = var.database
  collection = "mails"
  skip_wait  = true
  fields {
    field_path = "caller"
    order      = "ASCENDING"
  }
  fields {
    field_path = "acceptedAt"
    order      = each.key
  }
  depends_on = [google_firestore_database.ledger, google_project_service.this]
}

# One database, not all of the project's.
resource "google_project_iam_member" "ledger" {
  for_each = toset(local.carriers)
  project  = var.project_id
  role     = "roles/datastore.user"
  member   = google_service_account.this[each.key].member
  condition {
    title      = "ledger-only"
    expression = "resource.name == \"projects/${var.project_id}/databases/${var.database}\""
  }
}
