output "urls" {
  description = "Address of each function; also the audience of its callers' identity tokens."
  value       = { for name, one in google_cloudfunctions2_function.this : name => one.service_config[0].uri }
}

output "service_accounts" {
  description = "Email of each service account, by what it is for."
  value       = { for name, one in google_service_account.this : name => one.email }
}

output "mails_topic" {
  description = "Topic that takes emails as JSON; whoever may publish there may send from every mailbox."
  value       = google_pubsub_topic.mails.id
}

output "database" {
  description = "Firestore database of the ledger."
  value       = var.database
}

output "dead_letters" {
  description = "Subscription that holds the emails that were given up."
  value       = google_pubsub_subscription.dead.id
}

output "secrets" {
  description = "Secret of each mailbox, to be filled by `npx mailgrant authorize` (refresh-token) or with the key JSON (service-account-key)."
  value       = { for address, one in local.mailboxes : address => google_secret_manager_secret.mailbox[one.secret].id if one.grant != "delegation" }
}

output "domain_wide_delegation" {
  description = "Per delegate, what an administrator enters at https://admin.google.com/ac/owl/domainwidedelegation: client ID and scopes. The client ID of an account of another project is to be looked up there."
  value = {
    for email in local.delegates : email => {
      client_id = email == local.own_delegate ? google_service_account.this["delegate"].unique_id : null
      scopes    = join(",", sort(distinct(flatten([for one in local.delegated : one.scopes if one.delegate == email]))))
    }
  }
}

output "next_steps" {
  description = "The commands and pages that come after an apply, in order."
  value = concat(
    ["export GOOGLE_CLOUD_PROJECT=${var.project_id} MAILGRANT_DATABASE='${var.database}' MAILGRANT_TOPIC=projects/${var.project_id}/topics/${google_pubsub_topic.mails.name}"],
    [for address, one in local.mailboxes : "npx mailgrant authorize ${address} --client client.json" if one.grant == "refresh-token"],
    [for secret, one in local.mailbox_secrets : "gcloud secrets versions add ${secret} --project=${var.project_id} --data-file=KEY.json    # ${join(", ", one.addresses)}" if anytrue([for box in local.mailboxes : box.grant == "service-account-key" && box.secret == secret])],
    [for email in local.delegates : "open https://admin.google.com/ac/owl/domainwidedelegation and add the client ID and the scopes of the output domain_wide_delegation for ${email}"],
    [for email in setsubtract(local.delegates, local.near_delegates) : "in the project of ${email}: let ${join(", ", [for name in local.minters : google_service_account.this[name].email])} sign as it (iam.serviceAccounts.signJwt)"],
    [for secret in keys(local.hook_secrets) : "gcloud secrets versions add ${secret} --project=${var.project_id} --data-file=-    # the secret that the webhook's sender shows"],
    ["npx mailgrant watch", "npx mailgrant smoke"],
  )
}
