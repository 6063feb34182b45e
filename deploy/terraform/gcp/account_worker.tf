# The worker reads and writes by presigned addresses alone: its account reports to Batch, writes
# logs and pulls the image, and may do nothing in the bucket.
resource "google_service_account" "worker" {
  account_id   = "${var.name}-worker"
  display_name = "Worker of Escriba"
  description  = "No access to the bucket; each job brings presigned addresses."

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_member" "worker" {
  for_each = toset(["roles/batch.agentReporter", "roles/logging.logWriter"])

  project = var.project
  role    = each.key
  member  = local.worker
}
