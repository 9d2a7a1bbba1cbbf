# The root is yours: provider, state and settings. What mailgrant needs in a project is the module that the package brings.
terraform {
  required_version = ">= 1.9.0, < 2.0.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.41"
    }
  }
  backend "gcs" {} # bucket and prefix by `npx mailgrant deploy`, or `terraform init -backend-config=…`
}

provider "google" {
  project               = var.project_id
  region                = var.region
  billing_project       = var.project_id # your own credentials name no project that quota could be counted on
  user_project_override = true
  default_labels        = { app = var.name_prefix, managed-by = "terraform" }
}

module "mailgrant" {
  source      = "../node_modules/mailgrant/infra" # after npm ci; inputs: node_modules/mailgrant/infra/variables.tf
  project_id  = var.project_id
  region      = var.region
  name_prefix = var.name_prefix
  config_file = var.config_file
  access      = var.access
  callers     = var.callers
  # alert_emails = ["you@example.com"]
}

# `npx mailgrant deploy` gives these, or infra/terraform.tfvars does.
variable "project_id" {
  type = string
}
variable "region" {
  type    = string
  default = "europe-west1"
}
variable "name_prefix" {
  type    = string
  default = "mailgrant"
}
variable "config_file" {
  type    = string
  default = "../mailgrant.yaml"
}
variable "access" {
  description = "Who reaches api and hooks: private, iam or public."
  type        = map(string)
  default     = {}
}
variable "callers" {
  description = "IAM members that may call api and hooks, behind IAM."
  type        = map(list(string))
  default     = {}
}

# `npx mailgrant deploy` reads these.
output "urls" {
  value = module.mailgrant.urls
}
output "next_steps" {
  value = module.mailgrant.next_steps
}
output "mails_topic" {
  value = module.mailgrant.mails_topic
}
output "database" {
  value = module.mailgrant.database
}
