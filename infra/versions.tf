terraform {
  required_version = ">= 1.9.0, < 2.0.0" # validations that look at other variables

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.41.0, < 8.0.0" # one major; skip_wait and deletion_policy, which are used here, came with 7.40 and 7.33
    }
  }
}
