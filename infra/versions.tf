terraform {
  required_version = ">= 1.9.0, < 2.0.0" # validations that look at other variables

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0.0, < 9.0.0"
    }
  }

  backend "gcs" {} # bucket and prefix by `terraform init -backend-config=…`, see README.md
}

provider "google" {
  project               = var.project_id
  region                = var.region
  billing_project       = var.project_id # a person's own credentials name no project that quota could be counted on
  user_project_override = true
  default_labels        = merge({ app = var.name_prefix, managed-by = "terraform" }, var.labels)
}
