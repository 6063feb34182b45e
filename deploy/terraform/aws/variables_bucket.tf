variable "bucket_name" {
  description = "Name of the bucket. Empty: name-account-region."
  type        = string
  default     = ""

  validation {
    condition     = var.bucket_name == "" || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must have 3 to 63 characters of a-z, 0-9 and '-'."
  }
}

variable "originals_days" {
  description = "Days after which originals_action happens to what is under inbox/."
  type        = number
  default     = 30

  validation {
    condition     = var.originals_days >= 1
    error_message = "originals_days must be 1 or more."
  }
}

variable "originals_action" {
  description = "What happens to originals after originals_days: expire (they are deleted), archive (moved to Glacier Instant Retrieval) or keep."
  type        = string
  default     = "expire"

  validation {
    condition     = contains(["expire", "archive", "keep"], var.originals_action)
    error_message = "originals_action must be expire, archive or keep."
  }
}

variable "transcripts_days" {
  description = "Days after which transcripts move to Glacier Instant Retrieval: a fifth of the price, and still readable at once."
  type        = number
  default     = 90

  validation {
    condition     = var.transcripts_days >= 1
    error_message = "transcripts_days must be 1 or more."
  }
}

variable "manifests_days" {
  description = "Days after which the manifests of machines are deleted."
  type        = number
  default     = 7

  validation {
    condition     = var.manifests_days >= 1
    error_message = "manifests_days must be 1 or more."
  }
}

variable "previous_versions_days" {
  description = "Days that overwritten and deleted objects can be restored; then they are gone for good."
  type        = number
  default     = 30

  validation {
    condition     = var.previous_versions_days >= 1
    error_message = "previous_versions_days must be 1 or more."
  }
}

variable "kms_key_arn" {
  description = "Key of KMS that encrypts the bucket. Empty: S3's own keys (AES-256), which cost nothing."
  type        = string
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key."
  }
}

variable "delete_contents" {
  description = "Whether the removal also deletes what is in the bucket and in the image repository. false: a removal stops at them unless they are empty."
  type        = bool
  default     = false
}
