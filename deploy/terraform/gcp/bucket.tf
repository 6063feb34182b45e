# ledger/ and the results of jobs under work/ have no rule: what was paid is never bought again
resource "google_storage_bucket" "recordings" {
  name                        = local.bucket_name
  location                    = var.bucket_location != "" ? var.bucket_location : var.regions[0]
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.delete_contents

  versioning {
    enabled = true
  }

  # versions are kept anyway, and a second copy would be billed
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  dynamic "encryption" {
    for_each = var.kms_key_name == "" ? [] : [var.kms_key_name]

    content {
      default_kms_key_name = encryption.value
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.originals_action == "keep" ? [] : [var.originals_action]

    content {
      action {
        type          = lifecycle_rule.value == "expire" ? "Delete" : "SetStorageClass"
        storage_class = lifecycle_rule.value == "expire" ? null : "ARCHIVE"
      }

      condition {
        age            = var.originals_days
        matches_prefix = ["inbox/"]
        with_state     = "LIVE"
      }
    }
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "COLDLINE"
    }

    condition {
      age            = var.transcripts_days
      matches_prefix = ["transcripts/"]
      with_state     = "LIVE"
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age            = var.manifests_days
      matches_prefix = ["work-manifests/"]
      with_state     = "LIVE"
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = var.previous_versions_days
      with_state                 = "ARCHIVED"
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }

    condition {
      age = 7
    }
  }

  depends_on = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "orchestrator" {
  bucket = google_storage_bucket.recordings.name
  role   = "roles/storage.objectUser"
  member = local.orchestrator
}
