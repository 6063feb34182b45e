resource "google_project_service" "needed" {
  for_each = toset(concat([
    "artifactregistry.googleapis.com",
    "batch.googleapis.com",
    "compute.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ], local.has_budget ? ["billingbudgets.googleapis.com", "monitoring.googleapis.com"] : []))

  service            = each.key
  disable_on_destroy = false # others in the project may use it
}
