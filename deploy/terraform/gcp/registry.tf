resource "google_artifact_registry_repository" "worker" {
  location      = var.regions[0]
  repository_id = var.name
  description   = "Worker of Escriba"
  format        = "DOCKER"

  docker_config {
    immutable_tags = true
  }

  # an image has 4 to 9 GB, and a GB costs 0.10 USD a month
  cleanup_policies {
    id     = "untagged"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "86400s"
    }
  }

  cleanup_policies {
    id     = "old"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "7776000s" # 90 days
    }
  }

  cleanup_policies {
    id     = "last-five"
    action = "KEEP"

    most_recent_versions {
      keep_count = 5
    }
  }

  depends_on = [google_project_service.needed]
}

resource "google_artifact_registry_repository_iam_member" "worker" {
  location   = google_artifact_registry_repository.worker.location
  repository = google_artifact_registry_repository.worker.name
  role       = "roles/artifactregistry.reader"
  member     = local.worker
}
