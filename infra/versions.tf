terraform {
  required_version = ">= 1.9.0, < 2.0.0" # validations that look at other variables

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.41.0, < 8.0.0" # one major; skip_wait and deletion_policy, which are used here, came with 7.40 and 7.33
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
