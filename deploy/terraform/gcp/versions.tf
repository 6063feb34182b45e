terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0, < 8.0"
    }
  }
}

# the budget belongs to a billing account, so its API needs a project that pays for the requests
provider "google" {
  project               = var.project
  region                = var.regions[0]
  billing_project       = var.project
  user_project_override = true
  default_labels        = local.labels
}
