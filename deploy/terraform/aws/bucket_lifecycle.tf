# ledger/ and the results of jobs under work/ have no rule: what was paid is never bought again
resource "aws_s3_bucket_lifecycle_configuration" "recordings" {
  bucket = aws_s3_bucket.recordings.id

  # objects below 128 KB stay where they are: moving one costs more than it saves
  transition_default_minimum_object_size = "all_storage_classes_128K"

  dynamic "rule" {
    for_each = var.originals_action == "keep" ? [] : [var.originals_action]

    content {
      id     = "originals"
      status = "Enabled"

      filter {
        prefix = "inbox/"
      }

      dynamic "expiration" {
        for_each = rule.value == "expire" ? [1] : []

        content {
          days = var.originals_days
        }
      }

      dynamic "transition" {
        for_each = rule.value == "archive" ? [1] : []

        content {
          days          = var.originals_days
          storage_class = "GLACIER_IR"
        }
      }
    }
  }

  rule {
    id     = "transcripts"
    status = "Enabled"

    filter {
      prefix = "transcripts/"
    }

    transition {
      days          = var.transcripts_days
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id     = "manifests"
    status = "Enabled"

    filter {
      prefix = "work-manifests/"
    }

    expiration {
      days = var.manifests_days
    }
  }

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {
      prefix = ""
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = var.previous_versions_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.recordings]
}
