# Firestore's documents come by Eventarc, which has no dead letters and keeps an event for a day: worker writes the outcome into the document.
locals {
  documents_count = local.documents == null ? 0 : 1
}

resource "google_eventarc_trigger" "documents" {
  count                   = local.documents_count
  name                    = "${var.name_prefix}-documents"
  location                = coalesce(var.documents_location, var.region) # the database's, whatever the function's is
  service_account         = google_service_account.this["events"].email
  event_data_content_type = "application/json"
  matching_criteria {
    attribute = "type"
    value     = "google.cloud.firestore.document.v1.written"
  }
  matching_criteria {
    attribute = "database"
    value     = local.documents.database
  }
  matching_criteria {
    attribute = "document"
    operator  = "match-path-pattern"
    value     = "${local.documents.collection}/{mailgrantDocument}"
  }
  destination {
    cloud_run_service {
      service = google_cloudfunctions2_function.this["worker"].name
      region  = var.region
      path    = "/documents"
    }
  }
  depends_on = [google_project_service.this, terraform_data.settled, google_cloud_run_v2_service_iam_member.worker, google_service_account_iam_member.deploy_acts_as]
}

# The functions write delivery.expireAt where the config has expireDays; this is what makes Firestore go by it.
resource "google_firestore_field" "documents" {
  count      = can(local.config.documents.expireDays) ? 1 : 0
  database   = local.documents.database
  collection = reverse(split("/", local.documents.collection))[0]
  field      = "delivery.expireAt"
  skip_wait  = true
  ttl_config {}
  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "events" {
  count   = local.documents_count
  project = var.project_id
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.this["events"].member
}

# An agent that is made on request, as `npx mailgrant deploy` does, is not given its role by Google, nor has Pub/Sub's agent one for the
# account as which Eventarc pushes. Without the first the trigger is refused; without the second no event arrives, and nothing says so.
resource "google_project_iam_member" "eventarc_agent" {
  count   = local.documents_count
  project = var.project_id
  role    = "roles/eventarc.serviceAgent"
  member  = local.eventarc_agent
}

resource "google_service_account_iam_member" "events_token" {
  count              = local.documents_count
  service_account_id = google_service_account.this["events"].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent
}

resource "google_project_iam_member" "documents" {
  count   = try(local.documents.database, var.database) == var.database ? 0 : 1
  project = var.project_id
  role    = "roles/datastore.user"
  member  = google_service_account.this["worker"].member
  condition {
    title      = "documents-only"
    expression = "resource.name == \"projects/${var.project_id}/databases/${local.documents.database}\""
  }
}
