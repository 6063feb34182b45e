data "google_project" "current" {
  project_id = var.project
}

locals {
  labels      = merge({ project = "escriba", stack = var.name }, var.labels)
  bucket_name = var.bucket_name != "" ? var.bucket_name : "${var.name}-${var.project}"
  repository  = "${google_artifact_registry_repository.worker.location}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.worker.repository_id}"
  image       = var.image != "" ? var.image : "${local.repository}/worker:${var.image_tag}"

  orchestrator = "serviceAccount:${google_service_account.orchestrator.email}"
  worker       = "serviceAccount:${google_service_account.worker.email}"
}
