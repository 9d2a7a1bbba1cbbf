# The filters name events and fields that functions/runtime/log.ts and functions/trigger/ write; a test holds them together.
locals {
  ours     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in keys(local.functions) : "\"${var.name_prefix}-${name}\""])})"
  failures = "logging_googleapis_com:user_${replace(var.name_prefix, "-", "_")}_mails{monitored_resource=\"cloud_run_revision\",outcome=\"failed\"}"

  # What the commands of an alert are told, where it is not what they take by themselves.
  ledger = join(" ", compact(["--project ${var.project_id}", var.database == "mailgrant" ? "" : "--database '${var.database}'"]))
  place  = join(" ", compact([local.ledger, var.name_prefix == "mailgrant" ? "" : "--prefix ${var.name_prefix}"]))

  # Found in a log line. No metric stands between: an alert on a metric that has no data yet is refused.
  log_alerts = {
    dead_grant = {
      title  = "a mailbox cannot send"
      filter = "${local.ours} AND ((jsonPayload.event=\"grant\" AND jsonPayload.ok=false) OR (jsonPayload.event=(\"mail\" OR \"refused\") AND jsonPayload.code=~\"^(grant_|client_refused|scope_missing|account_mismatch|alias_unverified|delegation_missing|delegate_refused|mailbox_refused|token_refused)\"))"
      text   = "Gmail or Google's token endpoint refuses a mailbox; its emails wait as dead letters. The log line names code, cause and fix. See every mailbox: `npx mailgrant watch --project ${var.project_id}`. Renew a dead refresh token: `npx mailgrant rotate ADDRESS --project ${var.project_id}`. Then send what waits: `npx mailgrant dead replay --reason CODE ${local.place}`. Safe to ignore if watch says that every mailbox can send, and the mailbox was just added or renewed."
    }
    set_up = {
      title  = "a right, an API or a setting is missing"
      filter = "${local.ours} AND jsonPayload.event=(\"mail\" OR \"refused\" OR \"email_event\") AND jsonPayload.code=~\"^(api_disabled|bounces_|event_undelivered|identity_refused|queue_missing|queue_refused|hook_secret_unusable|route_condition|route_template|content_gone|message_foreign|unexpected)\""
      text   = "Mails fail for a right, an API, a setting or a route. The log line names code, detail and fix; `npx mailgrant doctor --project ${var.project_id}` looks at the set-up. Rights and settings come from infra/: where somebody changed them by hand, `npx mailgrant deploy --project ${var.project_id}` puts them back. Then `npx mailgrant dead list ${local.place}`. Safe to ignore during the first ten minutes after a deployment that changed rights, if it does not come again."
    }
    unknown = {
      title  = "nobody knows whether an email was sent"
      filter = "${local.ours} AND jsonPayload.event=\"mail\" AND jsonPayload.outcome=\"unknown\""
      text   = "Bytes left and no answer came. Redeliveries ask Gmail; what stays unknown waits for a person: `npx mailgrant ledger list --state unknown ${local.ledger}`, then `ledger show ID` and look into the Sent folder; what came by the queue is a dead letter by then, for a resend. Safe to ignore for a day while the code is delivery_unknown: each delivery, and each request with its key, asks Gmail again."
    }
    overdue = {
      title  = "accepted emails are overdue"
      filter = "${local.ours} AND jsonPayload.event=\"overdue\""
      text   = "Emails were accepted for the queue or for a time, and their message has not come for half an hour: nothing else sends them. See them: `npx mailgrant ledger list ${local.ledger}`. Mostly the queue ${google_cloud_tasks_queue.later.name} or the topic ${google_pubsub_topic.mails.name} is paused or was emptied, or the worker is down: look at the alerts beside this one. Then have the caller ask again with the same idempotency key, or end it by `ledger drop ID`. Safe to ignore while the backlog alert is open: they are in the queue, and go out when it drains."
    }
    bounces = {
      title  = "bounces are not found"
      filter = "${local.ours} AND jsonPayload.event=(\"bounces\" OR \"inbox\") AND severity>=ERROR"
      text   = "A mailbox with `bounces: true` cannot be looked through, or Gmail does not report its new messages; emails go out all the same. The log line names code and fix: `npx mailgrant watch --project ${var.project_id}`. Without the scope: `npx mailgrant rotate ADDRESS --project ${var.project_id}`. What came meanwhile is found afterwards, for a week. Safe to ignore for an hour if it does not come again: Gmail was not reached, and the next sweep finds what was missed."
    }
    not_written_back = {
      title  = "a new refresh token was not kept"
      filter = "${local.ours} AND jsonPayload.event=\"grant_not_written_back\""
      text   = "Google replaced a refresh token and the function may not store it; the old one may end. Set `rotates: true` for the mailbox in config/mailgrant.yaml, `npx mailgrant deploy --project ${var.project_id}`, then `npx mailgrant rotate ADDRESS --project ${var.project_id}`. It is never safe to ignore: emails go out until the old token ends, and then none do."
    }
    watch_failed = {
      title  = "the watch over the grants did not take place"
      filter = "(${local.ours} AND jsonPayload.event=\"watch_failed\") OR (resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"${google_cloud_scheduler_job.watch.name}\" AND severity>=ERROR)"
      text   = "Nobody has looked whether the mailboxes can send. Look yourself: `npx mailgrant watch --project ${var.project_id}`. Then run the job by hand: `gcloud scheduler jobs run ${google_cloud_scheduler_job.watch.name} --location=${var.region} --project=${var.project_id}`, and read the log of ${var.name_prefix}-watch. Safe to ignore if the next run, six hours later by default, is well."
    }
    not_started = {
      title  = "a function does not start"
      filter = "${local.ours} AND textPayload:\"mailgrant cannot start\""
      text   = "A function ends as soon as it starts, so that nothing it does takes place. The log line names every setting that is wrong. They come from infra/functions.tf and config/mailgrant.yaml: correct them there, or check the older commit out, and `npx mailgrant deploy --project ${var.project_id}`. Safe to ignore if it is of a revision that takes no requests any more."
    }
  }

  metric_alerts = merge(
    {
      dead_letters = {
        title    = "dead letters are waiting"
        filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        aligner  = "ALIGN_MAX"
        period   = "300s"
        above    = 0
        duration = "0s"
        text     = "Emails became dead letters. Look without removing them: `npx mailgrant dead list ${local.place}`. Fix the cause that the reason names, then `npx mailgrant dead replay --reason CODE ${local.place}`: what was sent is not sent again. With session_gone or delivery_unknown nobody knows: decide first by `ledger resend ID` or `ledger drop ID`. Safe to ignore until the morning: they are kept for 31 days."
      }
      backlog = {
        title    = "the queue does not drain"
        filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\"${join("|", [for one in google_pubsub_subscription.push : one.name])}\") AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        aligner  = "ALIGN_MAX"
        period   = "300s"
        above    = 1800
        duration = "300s"
        text     = "The oldest message waits for more than half an hour. See why: `gcloud logging read 'resource.labels.service_name=\"${var.name_prefix}-worker\" severity>=WARNING' --project=${var.project_id} --freshness=1h --limit=20`: outcome `retry` with its code, or no line at all if worker is not reached. Safe to ignore while the code is google_unavailable or rate_limited: nothing is lost, the emails go out when Google takes them."
      }
      broken = {
        title    = "api or hooks answer 5xx"
        filter   = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=monitoring.regex.full_match(\"${var.name_prefix}-(api|hooks)\") AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
        aligner  = "ALIGN_DELTA"
        period   = "300s"
        above    = 10
        duration = "0s"
        text     = "More than ten answers of 500 and above in five minutes. Callers try again with the same idempotency key, so nothing is lost as long as they do. See why: `gcloud logging read 'resource.labels.service_name=(\"${var.name_prefix}-api\" OR \"${var.name_prefix}-hooks\") severity>=ERROR' --project=${var.project_id} --freshness=1h --limit=20`; the lines name code and fix. Safe to ignore if it has ended and the code is google_unavailable or ledger_unavailable."
      }
      # A task is tried every ten minutes at most, for 31 days, and then it and its email are gone without a word.
      put_off = {
        title    = "emails of a later time cannot be published"
        filter   = "resource.type=\"cloud_tasks_queue\" AND resource.labels.queue_id=\"${google_cloud_tasks_queue.later.name}\" AND metric.type=\"cloudtasks.googleapis.com/queue/task_attempt_count\" AND metric.labels.response_code!=monitoring.regex.full_match(\"200|(?i:ok)\")"
        aligner  = "ALIGN_DELTA"
        period   = "3600s"
        above    = 5
        duration = "0s"
        text     = "A task publishes on ${google_pubsub_topic.mails.name} as ${google_service_account.this["tasks"].email} and is refused again and again; after 31 days it and its email are lost. See why: `gcloud logging read 'resource.type=\"cloud_tasks_queue\" resource.labels.queue_id=\"${google_cloud_tasks_queue.later.name}\"' --project=${var.project_id} --freshness=1h --limit=20`. Mostly the account lost roles/pubsub.publisher on the topic, or was disabled: `npx mailgrant deploy --project ${var.project_id}` puts it back. Safe to ignore if it has ended: the tasks try again by themselves."
      }
    },
    local.documents == null ? {} : {
      # Eventarc names its subscription after the trigger, and drops what is a day old.
      documents = {
        title    = "documents are not processed"
        filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=has_substring(\"${var.name_prefix}-documents\") AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        aligner  = "ALIGN_MAX"
        period   = "300s"
        above    = 1800
        duration = "300s"
        text     = "The oldest event of a document waits for more than half an hour; after a day it is dropped, and the document is not sent until it is written again. See why: `gcloud logging read 'resource.labels.service_name=\"${var.name_prefix}-worker\" severity>=WARNING' --project=${var.project_id} --freshness=1h --limit=20`. Safe to ignore while a daily limit is used up (code quota_daily or limit_day) and reopens within hours."
      }
    },
  )
}

resource "google_logging_metric" "mails" {
  name        = "${var.name_prefix}/mails"
  description = "How emails ended."
  filter      = "${local.ours} AND jsonPayload.event=\"mail\""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key        = "outcome"
      value_type = "STRING"
    }
    labels {
      key        = "code"
      value_type = "STRING"
    }
  }
  label_extractors = { outcome = "EXTRACT(jsonPayload.outcome)", code = "EXTRACT(jsonPayload.code)" }
  depends_on       = [google_project_service.this]
}

resource "google_logging_metric" "refused" {
  name        = "${var.name_prefix}/refused"
  description = "Requests that never became an email."
  filter      = "${local.ours} AND jsonPayload.event=\"refused\""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key        = "code"
      value_type = "STRING"
    }
  }
  label_extractors = { code = "EXTRACT(jsonPayload.code)" }
  depends_on       = [google_project_service.this]
}

resource "google_monitoring_notification_channel" "email" {
  for_each     = var.alert_emails
  display_name = "${var.name_prefix}: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
  depends_on   = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "log" {
  for_each              = local.log_alerts
  display_name          = "${var.name_prefix}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  conditions {
    display_name = each.value.title
    condition_matched_log {
      filter = each.value.filter
    }
  }
  documentation {
    content   = "${each.value.text}\n\nPlaybook: docs/operations.md, \"${each.value.title}\"."
    mime_type = "text/markdown"
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "3600s"
    }
  }
  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "metric" {
  for_each              = local.metric_alerts
  display_name          = "${var.name_prefix}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  conditions {
    display_name = each.value.title
    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = each.value.duration
      aggregations {
        alignment_period     = each.value.period
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.aligner == "ALIGN_DELTA" ? "REDUCE_SUM" : "REDUCE_MAX" # what is counted is summed over revisions and codes
      }
    }
  }
  documentation {
    content   = "${each.value.text}\n\nPlaybook: docs/operations.md, \"${each.value.title}\"."
    mime_type = "text/markdown"
  }
  alert_strategy {
    auto_close = "86400s"
  }
  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "failing" {
  display_name          = "${var.name_prefix}: emails are failing"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  conditions {
    display_name = "more than 20 failed emails in ten minutes"
    condition_prometheus_query_language {
      query                     = "sum(increase(${local.failures}[10m])) > 20"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # a new project has no such series until its first email
    }
  }
  documentation {
    content   = "More than 20 emails in ten minutes were refused for good. See why: `gcloud logging read 'jsonPayload.event=\"mail\" jsonPayload.outcome=\"failed\"' --project=${var.project_id} --freshness=1h --limit=20`: each line names code, cause and fix. `npx mailgrant doctor --project ${var.project_id}` looks at the set-up.\n\nSafe to ignore if all are of one caller and the code is that caller's to mend, such as mail_refused: tell them.\n\nPlaybook: docs/operations.md, \"emails are failing\"."
    mime_type = "text/markdown"
  }
  alert_strategy {
    auto_close = "86400s"
  }
  depends_on = [google_project_service.this, google_logging_metric.mails]
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = templatefile("${path.module}/dashboards/mailgrant.json.tftpl", {
    title   = var.name_prefix
    mails   = google_logging_metric.mails.name
    refused = google_logging_metric.refused.name
    dead    = google_pubsub_subscription.dead.name
    queue   = google_pubsub_subscription.push["mails"].name
    prefix  = var.name_prefix
  })
  depends_on = [google_project_service.this]
}
