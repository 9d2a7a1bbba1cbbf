# Every validation of variables.tf, seen to refuse. One row a mistake.
# Nothing is created and no credentials are needed: the provider, real or stood in for, gives its schema and its checks, the values are made up.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id  = "acme-mail-prod"
  config_file = "tests/minimal.yaml"
  dist        = "tests/archives"
}

run "project_id" {
  command = plan
  variables {
    project_id = "123456789012"
  }
  expect_failures = [var.project_id]
}

run "region" {
  command = plan
  variables {
    region = "europe-west1-b"
  }
  expect_failures = [var.region]
}

run "name_prefix" {
  command = plan
  variables {
    name_prefix = "Mail"
  }
  expect_failures = [var.name_prefix]
}

run "config_file_missing" {
  command = plan
  variables {
    config_file = "tests/nowhere.yaml"
  }
  expect_failures = [var.config_file]
}

run "config_file_empty" {
  command = plan
  variables {
    config_file = "tests/empty.yaml"
  }
  expect_failures = [var.config_file]
}

run "dist" {
  command = plan
  variables {
    dist = "tests"
  }
  expect_failures = [var.dist]
}

run "runtime" {
  command = plan
  variables {
    runtime = "nodejs22"
  }
  expect_failures = [var.runtime]
}

run "access_word" {
  command = plan
  variables {
    access = { api = "open" }
  }
  expect_failures = [var.access]
}

run "public_api_without_keys" {
  command = plan
  variables {
    access = { api = "public" }
  }
  expect_failures = [var.access]
}

run "public_api_with_identities" {
  command = plan
  variables {
    access      = { api = "public" }
    config_file = "tests/full.yaml"
  }
  expect_failures = [var.access]
}

run "public_hooks_without_hooks" {
  command = plan
  variables {
    access = { hooks = "public" }
  }
  expect_failures = [var.access]
}

run "callers_everyone" {
  command = plan
  variables {
    callers = { api = ["allUsers"] }
  }
  expect_failures = [var.callers]
}

run "callers_every_account" {
  command = plan
  variables {
    callers = { api = ["allAuthenticatedUsers"] }
  }
  expect_failures = [var.callers]
}

run "callers_without_hooks" {
  command = plan
  variables {
    callers = { hooks = ["user:ops@example.com"] }
  }
  expect_failures = [var.callers]
}

run "functions_name" {
  command = plan
  variables {
    functions = { mailer = {} }
  }
  expect_failures = [var.functions]
}

run "functions_timeout" {
  command = plan
  variables {
    functions = { worker = { timeout = 540 } }
  }
  expect_failures = [var.functions]
}

run "functions_cpu" {
  command = plan
  variables {
    functions = { api = { cpu = "0.5", concurrency = 4 } }
  }
  expect_failures = [var.functions]
}

run "functions_cpu_alone" {
  command = plan
  variables {
    functions = { api = { cpu = "0.5" } }
  }
  expect_failures = [var.functions]
}

run "functions_instances" {
  command = plan
  variables {
    functions = { worker = { min_instances = 6 } }
  }
  expect_failures = [var.functions]
}

run "queue_backoff_upside_down" {
  command = plan
  variables {
    queue = { min_backoff = "60s", max_backoff = "30s" }
  }
  expect_failures = [var.queue]
}

run "queue_retention" {
  command = plan
  variables {
    queue = { retention = "60d" }
  }
  expect_failures = [var.queue]
}

run "queue_backoff" {
  command = plan
  variables {
    queue = { max_backoff = "20m" }
  }
  expect_failures = [var.queue]
}

run "create_topics" {
  command = plan
  variables {
    create_topics = ["orders"]
  }
  expect_failures = [var.create_topics]
}

run "database" {
  command = plan
  variables {
    database = "X"
  }
  expect_failures = [var.database]
}

run "watch_schedule" {
  command = plan
  variables {
    watch_schedule = "hourly"
  }
  expect_failures = [var.watch_schedule]
}

run "alert_emails" {
  command = plan
  variables {
    alert_emails = ["ops"]
  }
  expect_failures = [var.alert_emails]
}

run "budget" {
  command = plan
  variables {
    budget = { billing_account = "billingAccounts/1", amount = 5 }
  }
  expect_failures = [var.budget]
}

run "build" {
  command = plan
  variables {
    build = { repository = "github.com/acme/mail" }
  }
  expect_failures = [var.build]
}

run "build_branch_pattern" {
  command = plan
  variables {
    build = { repository = "projects/p/locations/l/connections/c/repositories/r", branch = "^main$" }
  }
  expect_failures = [var.build]
}

run "build_env" {
  command = plan
  variables {
    build = { repository = "projects/p/locations/l/connections/c/repositories/r", env = "../x" }
  }
  expect_failures = [var.build]
}

run "labels" {
  command = plan
  variables {
    labels = { Team = "shop" }
  }
  expect_failures = [var.labels]
}

run "name_prefix_of_googles" {
  command = plan
  variables {
    name_prefix = "google-mail"
  }
  expect_failures = [var.name_prefix]
}

run "settle_seconds" {
  command = plan
  variables {
    settle_seconds = -1
  }
  expect_failures = [var.settle_seconds]
}

run "config_that_extends" {
  command = plan
  variables {
    config_file = "tests/extends.yaml"
  }
  expect_failures = [var.config_file]
}

run "kms_key_elsewhere" {
  command = plan
  variables {
    kms_key = "projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"
  }
  expect_failures = [var.kms_key]
}
