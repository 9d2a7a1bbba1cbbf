# What makes this folder a root: its state and its provider. The npm package leaves this file out, so that what is left is a module.
terraform {
  backend "gcs" {} # bucket and prefix by `terraform init -backend-config=…`, see README.md
}

provider "google" {
  project               = var.project_id
  region                = var.region
  billing_project       = var.project_id # a person's own credentials name no project that quota could be counted on
  user_project_override = true
  default_labels        = merge({ app = var.name_prefix, managed-by = "terraform" }, var.labels)
}
