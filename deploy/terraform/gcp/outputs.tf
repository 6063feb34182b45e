output "settings" {
  description = "Lines for .env."
  value = {
    GCP_PROJECT               = var.project
    GCP_BATCH_REGIONS         = join(",", var.regions)
    GCP_BATCH_MACHINES        = join(",", var.machine_types)
    GCP_BATCH_IMAGE           = local.image
    GCP_BATCH_SERVICE_ACCOUNT = google_service_account.worker.email
    STORAGE_URL               = "gs://${google_storage_bucket.recordings.name}"
  }
}

output "image" {
  description = "Image that the machines run; push it before the first job."
  value       = local.image
}

output "repository_url" {
  description = "Repository to push the worker's image to."
  value       = "${local.repository}/worker"
}

output "log_bucket" {
  description = "Log bucket of the workers."
  value       = google_logging_project_bucket_config.worker.id
}

output "orchestrator_account" {
  description = "Account with which Escriba runs: of its machine, or by impersonation."
  value       = google_service_account.orchestrator.email
}
