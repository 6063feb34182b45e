variable "bucket_name" {
  description = "Name of the bucket. Empty: name-project."
  type        = string
  default     = ""

  validation {
    condition     = var.bucket_name == "" || can(regex("^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must have 3 to 63 characters of a-z, 0-9, '-' and '_'."
  }
}

variable "bucket_location" {
  description = "Region or multi-region of the bucket. Empty: the first of regions; machines of other regions then pay for the way of the audio."
  type        = string
  default     = ""
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
  description = "What happens to originals after originals_days: expire (they are deleted), archive (moved to the class Archive) or keep."
  type        = string
  default     = "expire"

  validation {
    condition     = contains(["expire", "archive", "keep"], var.originals_action)
    error_message = "originals_action must be expire, archive or keep."
  }
}

variable "transcripts_days" {
  description = "Days after which transcripts move to the class Coldline: a fifth of the price, and still readable at once."
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

variable "kms_key_name" {
  description = "Key of Cloud KMS that encrypts the bucket; Cloud Storage's own account must be allowed to use it. Empty: Google's own keys."
  type        = string
  default     = ""

  validation {
    condition     = var.kms_key_name == "" || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key_name))
    error_message = "kms_key_name must be the full name of a key."
  }
}

variable "delete_contents" {
  description = "Whether the removal also deletes what is in the bucket. false: a removal stops at it unless it is empty."
  type        = bool
  default     = false
}
