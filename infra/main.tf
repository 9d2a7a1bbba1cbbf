# What the config says, with its defaults filled in as functions/config/schema.ts fills them; a test holds the two together.
locals {
  config = yamldecode(file(var.config_file))
  routes = merge({}, try(local.config.routes, {})) # merge: a heading with nothing below it is null
  keys   = { for name, key in merge({}, try(local.config.keys, {})) : name => key if !try(key.disabled, false) }

  mailboxes = {
    for address, one in local.config.mailboxes : lower(address) => {
      grant    = try(one.grant, "refresh-token")
      secret   = try(one.secret, "mailgrant-${replace(lower(address), "/[^a-z0-9]+/", "-")}")
      delegate = lower(try(one.delegate, ""))
      bounces  = try(one.bounces, false)
      scopes = try(one.via, "api") == "smtp" ? ["https://mail.google.com/"] : concat(
        ["https://www.googleapis.com/auth/gmail.send"],
        try(one.bounces, false) ? ["https://www.googleapis.com/auth/gmail.metadata"] : [],
      )
      rotates = try(one.rotates, false)
    }
  }
  # Mailboxes may share a secret, such as one key of a service account.
  mailbox_secrets = {
    for secret in distinct([for one in local.mailboxes : one.secret if one.grant != "delegation"]) : secret => {
      addresses = sort([for address, one in local.mailboxes : address if one.secret == secret && one.grant != "delegation"])
      rotates   = anytrue([for one in local.mailboxes : one.rotates if one.secret == secret && one.grant != "delegation"])
    }
  }
  delegated = { for address, one in local.mailboxes : address => one if one.grant == "delegation" }

  identities = toset([for key in local.keys : lower(key.identity) if can(key.identity)])

  hooks        = { for name, route in local.routes : name => route.hook if can(route.hook.verify) }
  hook_secrets = { for secret in distinct([for hook in local.hooks : hook.secret if can(hook.secret)]) : secret => sort([for name, hook in local.hooks : name if try(hook.secret, null) == secret]) }
  topics = {
    for name, route in local.routes : name => startswith(route.topic, "projects/") ? route.topic : "projects/${var.project_id}/topics/${route.topic}" if can(route.topic)
  }
  documents = try({ collection = local.config.documents.collection, database = try(local.config.documents.database, "(default)") }, null)
  delivery  = try(local.config.delivery, "direct")
}

locals {
  apis = toset(concat(
    [
      "artifactregistry.googleapis.com", "cloudbuild.googleapis.com", "cloudfunctions.googleapis.com", "cloudresourcemanager.googleapis.com",
      "cloudscheduler.googleapis.com", "cloudtasks.googleapis.com", "firestore.googleapis.com", "gmail.googleapis.com", "iam.googleapis.com",
      "iamcredentials.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com", "pubsub.googleapis.com", "run.googleapis.com",
      "secretmanager.googleapis.com", "storage.googleapis.com",
    ],
    local.documents == null ? [] : ["eventarc.googleapis.com", "eventarcpublishing.googleapis.com"],
    var.build == null ? [] : ["containeranalysis.googleapis.com"], # keeps the provenance
    var.budget == null ? [] : ["billingbudgets.googleapis.com"],
  ))
  # Written out: google_project_service_identity exists in google-beta only.
  pubsub_agent   = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  eventarc_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-eventarc.iam.gserviceaccount.com"
}

data "google_project" "this" {}

resource "google_project_service" "this" {
  for_each           = local.apis
  service            = each.key
  disable_on_destroy = false # others in the project may use it
}

# IAM takes about a minute until a new grant is known everywhere; a build or a trigger that starts sooner fails, and the provider does
# not try again. The wait takes place when one of these grants is new, and not in later applies.
resource "terraform_data" "settled" {
  for_each = merge(
    { build = [google_project_iam_member.build_logs.id, google_project_iam_member.build_source.id, google_artifact_registry_repository_iam_member.build_images.id] },
    local.documents == null ? {} : { documents = [google_project_iam_member.events[0].id, google_project_iam_member.eventarc_agent[0].id, google_service_account_iam_member.events_token[0].id] },
  )
  triggers_replace = each.value
  provisioner "local-exec" {
    command = "sleep ${var.settle_seconds}"
  }
}
