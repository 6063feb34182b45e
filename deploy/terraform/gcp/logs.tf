# the project's own log bucket keeps its copy for as long as the project says
resource "google_logging_project_bucket_config" "worker" {
  project        = var.project
  location       = "global"
  bucket_id      = "${var.name}-worker"
  description    = "Workers of Escriba"
  retention_days = var.log_days

  depends_on = [google_project_service.needed]
}

resource "google_logging_project_sink" "worker" {
  name                   = "${var.name}-worker"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.worker.id}"
  unique_writer_identity = true
  filter = join(" OR ", [
    for log in ["batch_task_logs", "batch_agent_logs"] : "logName=\"projects/${var.project}/logs/${log}\""
  ])
}
