variable "machine_types" {
  description = "Instance types with one GPU, each with a queue of its own, so that the price of a job is known. Needs a quota for 'All G and VT Spot Instance Requests' of max_vcpus for each."
  type        = list(string)
  default     = ["g6.xlarge"]

  validation {
    condition = length(var.machine_types) > 0 && alltrue([
      for type in var.machine_types : can(regex("^(g4dn|g5|g6)\\.(xlarge|2xlarge)$", type))
    ])
    error_message = "machine_types must be g4dn, g5 or g6 in the sizes xlarge and 2xlarge: one GPU, so that a machine is a worker."
  }

  validation {
    condition     = length(distinct(var.machine_types)) == length(var.machine_types)
    error_message = "machine_types must not name a type twice."
  }
}

variable "max_vcpus" {
  description = "Limit of vCPUs for each machine type; an xlarge has 4 and a 2xlarge 8."
  type        = number
  default     = 16

  validation {
    condition     = var.max_vcpus >= 8 && var.max_vcpus <= 4000 && floor(var.max_vcpus) == var.max_vcpus
    error_message = "max_vcpus must be a whole number from 8 (one 2xlarge) to 4000."
  }
}

variable "root_gb" {
  description = "Size of a machine's disk in GB: the image has 9, unpacked, beside the system and the audio."
  type        = number
  default     = 100

  validation {
    condition     = var.root_gb >= 60 && var.root_gb <= 1000
    error_message = "root_gb must be from 60 to 1000."
  }
}

variable "capacity_wait_seconds" {
  description = "Seconds after which AWS cancels the job at the head of a queue for lack of capacity; the router then chooses another backend."
  type        = number
  default     = 600

  validation {
    condition     = var.capacity_wait_seconds >= 600 && var.capacity_wait_seconds <= 86400
    error_message = "capacity_wait_seconds must be from 600 to 86400, as AWS allows."
  }
}

variable "lease_seconds" {
  description = "Longest run of one machine job in seconds, as in MACHINE_LEASE_SECONDS; AWS ends it then. Each job may ask for less."
  type        = number
  default     = 14400

  validation {
    condition     = var.lease_seconds >= 60 && var.lease_seconds <= 604800
    error_message = "lease_seconds must be from 60 to 604800 (a week)."
  }
}

variable "interruption_attempts" {
  description = "How often AWS starts a job whose machine it took back; every other failure ends the job."
  type        = number
  default     = 3

  validation {
    condition     = var.interruption_attempts >= 1 && var.interruption_attempts <= 10
    error_message = "interruption_attempts must be from 1 to 10."
  }
}

variable "job_memory_mib" {
  description = "Memory of a job in MiB. A machine of 16 GiB offers about 14,300: a job that asks for more waits for ever."
  type        = number
  default     = 14000

  validation {
    condition     = var.job_memory_mib >= 4000 && var.job_memory_mib <= 14000
    error_message = "job_memory_mib must be from 4000 to 14000."
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

variable "worker_environment" {
  description = "Further environment of the worker, such as BATCH_WINDOWS. No secrets: they would be in the state."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.worker_environment) : !can(regex("(TOKEN|SECRET|PASSWORD|KEY)", upper(name)))])
    error_message = "worker_environment must contain no secret: put it into Secrets Manager or the Parameter Store and name its ARN in worker_secret_arns."
  }
}

variable "worker_secret_arns" {
  description = "Secrets of the worker, by the name of their variable, as ARNs of Secrets Manager or of the Parameter Store: { HUGGINGFACE_TOKEN = \"arn:aws:ssm:…:parameter/…\" }. AWS reads them when a job starts; no value is in the state."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for arn in values(var.worker_secret_arns) :
      can(regex("^arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/)", arn))
    ])
    error_message = "worker_secret_arns must be ARNs of Secrets Manager or of the Parameter Store, never values."
  }
}

variable "create_spot_role" {
  description = "Whether to make AWS's own role for spot machines (AWSServiceRoleForEC2Spot): true only in an account that never used spot."
  type        = bool
  default     = false
}
