variable "machine_types" {
  description = "Machine types with one GPU, as in GCP_BATCH_MACHINES. Needs a quota of preemptible GPUs in each region."
  type        = list(string)
  default     = ["g2-standard-4"]

  validation {
    condition = length(var.machine_types) > 0 && alltrue([
      for type in var.machine_types : can(regex("^(g2-standard-(4|8|12|16|32)|g4-standard-48|a[0-9]-[a-z]+gpu-1g|n1-[a-z]+-[0-9]+-[a-z][0-9]+)$", type))
    ])
    error_message = "machine_types must have one GPU: g2-standard-4 to -32 (L4), another size with one GPU, or N1 with its GPU, such as n1-standard-4-t4."
  }

  validation {
    condition     = length(distinct(var.machine_types)) == length(var.machine_types)
    error_message = "machine_types must not name a type twice."
  }
}

variable "image" {
  description = "Image of the worker with its tag or digest, in a registry that asks for no login. Empty: the repository made here, with image_tag."
  type        = string
  default     = ""
}

variable "image_tag" {
  description = "Tag of the image in the repository made here; tags cannot be overwritten, so each build has its own."
  type        = string
  default     = "0.1.0"

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag must be a tag such as 0.1.0, and not latest, which would not say what runs."
  }
}

variable "orchestrator_secret_ids" {
  description = "Secrets of Secret Manager in this project that the orchestrator may read, by their IDs; no value is in the state."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.orchestrator_secret_ids : can(regex("^[A-Za-z0-9_-]{1,255}$", id))])
    error_message = "orchestrator_secret_ids must be IDs of secrets, never values."
  }
}

variable "orchestrator_users" {
  description = "Who may act as the orchestrator's account without a key, as members such as user:you@example.com."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.orchestrator_users : can(regex("^(user|group|serviceAccount):[^@\\s]+@[^@\\s]+$", member))])
    error_message = "orchestrator_users must be members such as user:you@example.com, never allUsers."
  }
}
