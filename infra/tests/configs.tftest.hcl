# What each config comes to.
# Nothing is created and no credentials are needed: the provider, real or stood in for, gives its schema and its checks, the values are made up.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id     = "acme-mail-prod"
  dist           = "tests/archives"
  settle_seconds = 0
}

run "minimal" {
  variables {
    config_file = "tests/minimal.yaml"
  }
  assert {
    condition     = toset(keys(google_cloudfunctions2_function.this)) == toset(["api", "worker", "watch"])
    error_message = "hooks exists only where a route has a hook"
  }
  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.api) == 0 && google_cloudfunctions2_function.this["api"].service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "api is private unless asked otherwise"
  }
  assert {
    condition     = alltrue([for name in ["worker", "watch"] : google_cloudfunctions2_function.this[name].service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"])
    error_message = "only Google's own services reach worker and watch"
  }
  assert {
    condition     = keys(google_secret_manager_secret.mailbox) == ["mailgrant-notices-example-com"]
    error_message = "the secret's name is made from the address"
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret_iam_member.read)) == toset([for name in ["api", "worker", "watch"] : "${name}/mailgrant-notices-example-com"])
    error_message = "secretAccessor per secret and function"
  }
  assert {
    condition     = length(google_cloud_tasks_queue.events) + length(google_secret_manager_secret.events) + length(google_cloud_scheduler_job.events) + length(google_pubsub_topic_iam_member.events) == 0 && keys(google_cloud_run_v2_service_iam_member.worker) == ["push"]
    error_message = "nobody is told anything unless the config says so"
  }
  assert {
    condition     = length(google_pubsub_topic.inbox) + length(google_pubsub_topic_iam_member.gmail) + length(google_pubsub_subscription.inbox) + length(google_cloud_scheduler_job.inbox) == 0 && !contains(keys(google_cloudfunctions2_function.this["watch"].service_config[0].environment_variables), "MAILGRANT_INBOX_TOPIC")
    error_message = "nobody looks into a mailbox unless the config says so"
  }
  assert {
    condition     = length(google_secret_manager_secret_iam_member.rotate) == 0 && length(google_project_iam_custom_role.jwt_signer) == 0
    error_message = "no right to write a grant, none to sign"
  }
  assert {
    condition     = google_pubsub_subscription.push["mails"].push_config[0].push_endpoint == "https://mailgrant-worker-123456789012.europe-west1.run.app" && google_pubsub_subscription.push["mails"].push_config[0].oidc_token[0].audience == google_cloudfunctions2_function.this["worker"].service_config[0].environment_variables["MAILGRANT_PUSH_AUDIENCE"]
    error_message = "worker is told the audience that the push carries"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.dead_letter.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "Pub/Sub's own agent moves dead letters"
  }
  assert {
    condition     = alltrue([for one in google_pubsub_subscription.push : one.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead.id]) && google_pubsub_subscription.dead.topic == google_pubsub_topic.dead.id
    error_message = "dead letters go to their own topic, where something keeps them"
  }
  assert {
    condition     = google_cloud_scheduler_job.watch.http_target[0].oidc_token[0].audience == google_cloudfunctions2_function.this["watch"].service_config[0].uri && google_cloud_scheduler_job.watch.http_target[0].oidc_token[0].service_account_email == google_service_account.this["schedule"].email
    error_message = "the schedule says who it is, to whom it speaks"
  }
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.this : one.build_config[0].docker_repository == google_artifact_registry_repository.functions.id && one.build_config[0].source[0].storage_source[0].bucket == google_storage_bucket.source.name])
    error_message = "images go where old ones are removed"
  }
  assert {
    condition     = length(google_eventarc_trigger.documents) + length(google_billing_budget.this) + length(google_cloudbuild_trigger.pipeline) + length(google_monitoring_notification_channel.email) == 0
    error_message = "nothing that was not asked for"
  }
  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["MAILGRANT_TRUST_IAM"] == "true"
    error_message = "behind IAM identities are believed"
  }
  assert {
    condition     = output.next_steps == ["export GOOGLE_CLOUD_PROJECT=acme-mail-prod MAILGRANT_DATABASE='mailgrant' MAILGRANT_TOPIC=projects/acme-mail-prod/topics/mailgrant-mails", "npx mailgrant authorize notices@example.com --client client.json", "npx mailgrant watch", "npx mailgrant smoke"]
    error_message = "the way to the first mail"
  }
}

run "every_option" {
  variables {
    config_file        = "tests/full.yaml"
    region             = "europe-west4"
    name_prefix        = "mailgrant"
    labels             = { team = "shop" }
    access             = { api = "iam", hooks = "iam" }
    callers            = { api = ["serviceAccount:web@acme-web.iam.gserviceaccount.com"], hooks = ["group:partners@example.com"] }
    functions          = { api = { memory = "2Gi", min_instances = 1 }, watch = { timeout = 400 } }
    queue              = { max_backoff = "300s", retention = "86400s" }
    create_topics      = ["cloud-builds"]
    database           = "(default)"
    create_database    = false
    documents_location = "eur3"
    watch_schedule     = "5 * * * *"
    alert_emails       = ["ops@example.com"]
    budget             = { billing_account = "012345-6789AB-CDEF01", amount = 20 }
    build              = { repository = "projects/acme-mail-prod/locations/europe-west4/connections/gh/repositories/mail", state_bucket = "acme-states" }
    kms_key            = "projects/acme-mail-prod/locations/europe-west4/keyRings/r/cryptoKeys/k"
  }
  assert {
    condition     = toset(keys(google_cloudfunctions2_function.this)) == toset(["api", "worker", "hooks", "watch"])
    error_message = "all four"
  }
  assert {
    condition     = google_cloudfunctions2_function.this["api"].service_config[0].available_memory == "2Gi" && google_cloudfunctions2_function.this["api"].service_config[0].max_instance_request_concurrency == 4 && google_cloudfunctions2_function.this["watch"].service_config[0].environment_variables["MAILGRANT_DEADLINE_SECONDS"] == "390"
    error_message = "sizes are changed one by one"
  }
  assert {
    condition     = toset([for one in google_cloud_run_v2_service_iam_member.api : one.member]) == toset(["serviceAccount:web@acme-web.iam.gserviceaccount.com", "serviceAccount:ci@acme-mail-prod.iam.gserviceaccount.com", "user:ops@example.com"])
    error_message = "callers and the identities of working keys"
  }
  assert {
    condition     = [for one in google_cloud_run_v2_service_iam_member.hooks : one.member] == ["group:partners@example.com"]
    error_message = "hooks behind IAM"
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret.mailbox)) == toset(["mailgrant-notices-example-com", "bulk-grant", "workspace-key"])
    error_message = "a shared secret is one secret, a delegated mailbox has none"
  }
  assert {
    condition     = google_secret_manager_secret.mailbox["workspace-key"].annotations["mailboxes"] == "one@example.org,two@example.org"
    error_message = "a secret names its mailboxes"
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret_iam_member.rotate)) == toset([for name in ["api", "worker", "hooks", "watch"] : "${name}/mailgrant-notices-example-com"])
    error_message = "only the rotating mailbox, and whoever mints"
  }
  assert {
    condition     = keys(google_secret_manager_secret.hook) == ["hook-signup"] && [for one in google_secret_manager_secret_iam_member.hook : one.member] == [google_service_account.this["hooks"].member]
    error_message = "a hook's secret is for hooks alone; google-oidc has none"
  }
  assert {
    condition     = { for name, one in google_pubsub_subscription.push : name => one.topic } == { mails = google_pubsub_topic.mails.id, "route/failed-builds" = "projects/acme-mail-prod/topics/cloud-builds", "route/orders" = "projects/acme-shop/topics/orders" }
    error_message = "a subscription per route"
  }
  assert {
    condition     = google_pubsub_subscription.push["route/orders"].push_config[0].push_endpoint == "https://mailgrant-worker-123456789012.europe-west4.run.app/routes/orders" && google_pubsub_subscription.push["route/orders"].push_config[0].oidc_token[0].audience == "https://mailgrant-worker-123456789012.europe-west4.run.app"
    error_message = "a route's push goes to its own path, for worker's audience"
  }
  assert {
    condition     = alltrue([for one in google_pubsub_subscription.push : one.retry_policy[0].maximum_backoff == "300s" && one.ack_deadline_seconds == 90])
    error_message = "queue settings reach every subscription"
  }
  assert {
    condition     = length(google_firestore_database.ledger) == 0 && toset([for one in google_firestore_field.ttl : one.collection]) == toset(["mails", "keys", "counters", "digests", "suppressions"])
    error_message = "TTL also on a database that was there before"
  }
  assert {
    condition     = google_eventarc_trigger.documents[0].location == "eur3" && google_eventarc_trigger.documents[0].destination[0].cloud_run_service[0].path == "/documents" && strcontains(google_project_iam_member.documents[0].condition[0].expression, "databases/shop\"")
    error_message = "documents of another database, and no more of it than needed"
  }
  assert {
    condition     = contains([for one in google_eventarc_trigger.documents[0].matching_criteria : one.value], "tenants/{tenant}/mail/{mailgrantDocument}")
    error_message = "documents right below the collection"
  }
  assert {
    condition     = google_firestore_field.documents[0].collection == "mail" && google_firestore_field.documents[0].database == "shop"
    error_message = "documents go by their own TTL"
  }
  assert {
    condition     = alltrue([for one in google_cloudbuild_trigger.pipeline : one.location == "europe-west4"]) && google_cloudbuild_trigger.pipeline["apply"].substitutions == tomap({ _REGION = "europe-west4", _PREFIX = "mailgrant", _STATE_BUCKET = "acme-states", _STATUS = "$(body.message.data.status)", _BEFORE = "$(body.message.data.substitutions.TRIGGER_NAME)", _COMMIT = "$(body.message.data.substitutions.COMMIT_SHA)", _BUILD = "$(body.message.data.id)" })
    error_message = "the pipeline is told what this deployment is called"
  }
  assert {
    condition     = [for name, one in google_cloudbuild_trigger.pipeline : name if one.approval_config[0].approval_required] == ["apply"] && google_cloudbuild_trigger.pipeline["check"].repository_event_config[0].push[0].branch == "^main$" && google_cloudbuild_trigger.pipeline["apply"].filter == "_STATUS == \"SUCCESS\" && _BEFORE == \"mailgrant-plan\""
    error_message = "the pipeline waits for a person"
  }
  assert {
    condition     = alltrue([for key in [google_pubsub_topic.mails.kms_key_name, google_pubsub_topic.dead.kms_key_name, google_cloudfunctions2_function.this["api"].kms_key_name, google_storage_bucket.content.encryption[0].default_kms_key_name, google_storage_bucket.source.encryption[0].default_kms_key_name, google_artifact_registry_repository.functions.kms_key_name, google_secret_manager_secret.hook["hook-signup"].replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name, google_secret_manager_secret.mailbox["bulk-grant"].replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name] : key == var.kms_key])
    error_message = "one key for everything that holds data"
  }
  assert {
    condition     = output.domain_wide_delegation["mailgrant-delegate@acme-mail-prod.iam.gserviceaccount.com"].scopes == "https://mail.google.com/,https://www.googleapis.com/auth/gmail.metadata,https://www.googleapis.com/auth/gmail.send" && output.domain_wide_delegation["central@acme-identity.iam.gserviceaccount.com"].client_id == null
    error_message = "what the administrator types"
  }
  assert {
    condition     = length([for step in output.next_steps : step if strcontains(step, "central@acme-identity")]) == 2
    error_message = "signing as a foreign account is left to a person, and said"
  }
  assert {
    condition     = alltrue([for one in concat(values(google_monitoring_alert_policy.log), values(google_monitoring_alert_policy.metric), [google_monitoring_alert_policy.failing]) : one.notification_channels == tolist([google_monitoring_notification_channel.email["ops@example.com"].id])])
    error_message = "every alert reaches somebody"
  }
  assert {
    condition     = google_cloud_tasks_queue.events[0].retry_config[0].max_attempts == -1 && google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["MAILGRANT_WORKER_URL"] == google_cloudfunctions2_function.this["worker"].service_config[0].environment_variables["MAILGRANT_PUSH_AUDIENCE"]
    error_message = "events go to worker by a queue that gives none up"
  }
  assert {
    condition     = keys(google_secret_manager_secret.events) == ["mailgrant-events-shop"] && google_secret_manager_secret_iam_member.events["mailgrant-events-shop"].member == google_service_account.this["worker"].member
    error_message = "worker alone reads what events are signed with"
  }
  assert {
    condition     = toset([for one in google_pubsub_topic_iam_member.events : one.topic]) == toset(["email-events"])
    error_message = "events may be published on a topic of this project; one of another is granted there"
  }
  assert {
    condition     = google_cloud_scheduler_job.events[0].http_target[0].uri == "https://mailgrant-worker-123456789012.europe-west4.run.app/events/sweep" && length(google_cloud_run_v2_service_iam_member.worker) == 4
    error_message = "what was left is swept"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.gmail[0].member == "serviceAccount:gmail-api-push@system.gserviceaccount.com" && google_pubsub_topic_iam_member.gmail[0].topic == google_pubsub_topic.inbox[0].id && google_pubsub_subscription.inbox[0].push_config[0].push_endpoint == "https://mailgrant-worker-123456789012.europe-west4.run.app/inbox" && google_cloudfunctions2_function.this["watch"].service_config[0].environment_variables["MAILGRANT_INBOX_TOPIC"] == "projects/acme-mail-prod/topics/mailgrant-inbox"
    error_message = "what Gmail reports goes to worker, by a topic of its own"
  }
  assert {
    condition     = toset([for one in google_firestore_index.list : one.fields[1].order]) == toset(["ASCENDING", "DESCENDING"])
    error_message = "an index for each direction of the list"
  }
  assert {
    condition     = toset(keys(google_monitoring_alert_policy.metric)) == toset(["backlog", "broken", "dead_letters", "documents", "put_off"])
    error_message = "documents are looked at where there are any"
  }
  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles) == 6
    error_message = "the dashboard is JSON"
  }
}

run "documents_get_their_agents" {
  command = plan
  variables {
    config_file = "tests/full.yaml"
  }
  assert {
    condition     = google_project_iam_member.eventarc_agent[0].member == "serviceAccount:service-123456789012@gcp-sa-eventarc.iam.gserviceaccount.com" && google_service_account_iam_member.events_token[0].member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "Eventarc's agent and Pub/Sub's have what they need for the trigger"
  }
  assert {
    condition     = alltrue([for one in google_firestore_field.ttl : one.skip_wait]) && google_firestore_field.documents[0].skip_wait
    error_message = "nobody waits for TTL"
  }
}

run "delegated" {
  variables {
    config_file = "tests/delegated.yaml"
  }
  assert {
    condition     = length(google_secret_manager_secret.mailbox) == 0
    error_message = "a delegated mailbox has no secret"
  }
  assert {
    condition     = google_project_iam_custom_role.jwt_signer[0].permissions == toset(["iam.serviceAccounts.signJwt"])
    error_message = "signJwt and nothing else"
  }
  assert {
    condition     = toset([for one in google_service_account_iam_member.jwt_signer : one.member]) == toset([for name in ["api", "worker", "watch"] : google_service_account.this[name].member])
    error_message = "whoever mints may sign"
  }
  assert {
    condition     = output.domain_wide_delegation["mailgrant-delegate@acme-mail-prod.iam.gserviceaccount.com"].client_id == google_service_account.this["delegate"].unique_id
    error_message = "the administrator needs the client ID"
  }
}

run "queued" {
  command = plan
  variables {
    config_file = "tests/queued.yaml"
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret_iam_member.read)) == toset(["worker/mailgrant-notices-example-com", "watch/mailgrant-notices-example-com"])
    error_message = "with a queue in between, api and hooks read no grant"
  }
  assert {
    condition     = toset(keys(google_pubsub_topic_iam_member.publish)) == toset(["api", "hooks", "worker", "tasks"])
    error_message = "they publish"
  }
}

run "public_hooks" {
  command = plan
  variables {
    config_file = "tests/queued.yaml"
    access      = { hooks = "public" }
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.hooks["everyone"].member == "allUsers" && google_cloudfunctions2_function.this["hooks"].service_config[0].ingress_settings == "ALLOW_ALL" && length(google_cloud_run_v2_service_iam_member.api) == 0
    error_message = "hooks is open, api is not"
  }
}

run "public_api" {
  command = plan
  variables {
    config_file = "tests/keyed.yaml"
    access      = { api = "public" }
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.api["everyone"].member == "allUsers" && google_cloudfunctions2_function.this["api"].service_config[0].environment_variables["MAILGRANT_TRUST_IAM"] == "false"
    error_message = "where everyone gets in, nobody's word about who they are counts"
  }
}
