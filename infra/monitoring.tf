# The filters name events and fields that functions/log.ts and functions/trigger/ write; a test holds them together.
locals {
  ours     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in keys(local.functions) : "\"${var.name_prefix}-${name}\""])})"
  failures = "logging_googleapis_com:user_${replace(var.name_prefix, "-", "_")}_mails{monitored_resource=\"cloud_run_revision\",outcome=\"failed\"}"

  # Found in a log line. No metric stands between: an alert on a metric that has no data yet is refused.
  log_alerts = {
    dead_grant = {
      title  = "a mailbox cannot send"
      filter = "${local.ours} AND ((jsonPayload.event=\"grant\" AND jsonPayload.ok=false) OR (jsonPayload.event=(\"mail\" OR \"refused\") AND jsonPayload.code=~\"^(grant_|client_refused|scope_missing|account_mismatch|alias_unverified|delegation_missing|delegate_refused|mailbox_refused|token_refused)\"))"
      text   = "The log line names code and fix. See every mailbox by `npm run mailgrant -- watch --project ${var.project_id}`; a dead refresh token is renewed by `npm run mailgrant -- rotate ADDRESS --project ${var.project_id}`."
    }
    set_up = {
      title  = "a right, an API or a setting is missing"
      filter = "${local.ours} AND jsonPayload.event=(\"mail\" OR \"refused\") AND jsonPayload.code=~\"^(api_disabled|identity_refused|queue_missing|queue_refused|hook_secret_unusable|route_condition|route_template|content_gone|message_foreign|unexpected)\""
      text   = "The log line names code, detail and fix. `npm run mailgrant -- doctor --project ${var.project_id}` looks at the set-up. Rights and settings come from infra/: where somebody changed them by hand, another `npm run deploy` puts them back."
    }
    unknown = {
      title  = "nobody knows whether a mail was sent"
      filter = "${local.ours} AND jsonPayload.event=\"mail\" AND jsonPayload.outcome=\"unknown\""
      text   = "Bytes left and no answer came. Redeliveries ask Gmail; what stays unknown waits for a person. The line's `id` is the mail's."
    }
    not_written_back = {
      title  = "a new refresh token was not kept"
      filter = "${local.ours} AND jsonPayload.event=\"grant_not_written_back\""
      text   = "Google replaced a refresh token and the function may not store it. Set `rotates: true` for the mailbox in config/mailgrant.yaml and deploy, then `npm run mailgrant -- rotate ADDRESS`."
    }
    watch_failed = {
      title  = "the watch over the grants did not take place"
      filter = "(${local.ours} AND jsonPayload.event=\"watch_failed\") OR (resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"${google_cloud_scheduler_job.watch.name}\" AND severity>=ERROR)"
      text   = "Run it by hand: `gcloud scheduler jobs run ${google_cloud_scheduler_job.watch.name} --location=${var.region} --project=${var.project_id}`, and read the log of ${var.name_prefix}-watch."
    }
    not_started = {
      title  = "a function does not start"
      filter = "${local.ours} AND textPayload:\"mailgrant cannot start\""
      text   = "The line names every setting that is wrong. They come from infra/functions.tf: correct them there and apply."
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
        text     = "Mails were given up. Look without taking them away: `gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead.name} --limit=10 --project=${var.project_id}`. Mend the cause that the attributes name, then publish them on ${google_pubsub_topic.mails.name} again."
      }
      backlog = {
        title    = "the queue does not drain"
        filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\"${join("|", [for one in google_pubsub_subscription.push : one.name])}\") AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        aligner  = "ALIGN_MAX"
        period   = "300s"
        above    = 1800
        duration = "300s"
        text     = "The oldest mail waits for more than half an hour. The log of ${var.name_prefix}-worker says why: outcome `retry` with its code."
      }
      broken = {
        title    = "api or hooks answer 5xx"
        filter   = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=monitoring.regex.full_match(\"${var.name_prefix}-(api|hooks)\") AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
        aligner  = "ALIGN_DELTA"
        period   = "300s"
        above    = 10
        duration = "0s"
        text     = "More than ten answers of 500 and above in five minutes. Callers try again with the same idempotency key, so nothing is lost as long as they do; the log lines name code and fix."
      }
      # A task is tried every ten minutes at most, for 31 days, and then it and its mail are gone without a word.
      put_off = {
        title    = "mails of a later time cannot be published"
        filter   = "resource.type=\"cloud_tasks_queue\" AND resource.labels.queue_id=\"${google_cloud_tasks_queue.later.name}\" AND metric.type=\"cloudtasks.googleapis.com/queue/task_attempt_count\" AND metric.labels.response_code!=monitoring.regex.full_match(\"200|(?i:ok)\")"
        aligner  = "ALIGN_DELTA"
        period   = "3600s"
        above    = 5
        duration = "0s"
        text     = "A task publishes on ${google_pubsub_topic.mails.name} as ${google_service_account.this["tasks"].email} and is refused again and again; after 31 days it and its mail are lost. The log of the queue ${google_cloud_tasks_queue.later.name} says why: mostly the account lost roles/pubsub.publisher on the topic, or was disabled."
      }
    },
    local.documents == null ? {} : {
      # Eventarc names its subscription after the trigger, and drops what is a day old.
      documents = {
        title    = "documents are not worked off"
        filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=has_substring(\"${var.name_prefix}-documents\") AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        aligner  = "ALIGN_MAX"
        period   = "300s"
        above    = 1800
        duration = "300s"
        text     = "The oldest event of a document waits for more than half an hour; after a day it is dropped, and the document is not sent until it is written again. The log of ${var.name_prefix}-worker says why."
      }
    },
  )
}

resource "google_logging_metric" "mails" {
  name        = "${var.name_prefix}/mails"
  description = "How mails ended."
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
  description = "Orders that never became a mail."
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
    content   = each.value.text
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
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }
  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }
  alert_strategy {
    auto_close = "86400s"
  }
  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "failing" {
  display_name          = "${var.name_prefix}: mails are failing"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  conditions {
    display_name = "more than 20 failed mails in ten minutes"
    condition_prometheus_query_language {
      query                     = "sum(increase(${local.failures}[10m])) > 20"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # a new project has no such series until its first mail
    }
  }
  documentation {
    content   = "The log of api and worker names code, cause and fix of each: `jsonPayload.event=\"mail\" jsonPayload.outcome=\"failed\"`. `npm run mailgrant -- doctor --project ${var.project_id}` looks at the set-up."
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

resource "google_billing_budget" "this" {
  count           = var.budget == null ? 0 : 1
  billing_account = var.budget.billing_account
  display_name    = "${var.name_prefix} (${var.project_id})"
  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }
  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.amount)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  depends_on = [google_project_service.this]
}
