variable "region" {
  description = "Region of the cluster, the bucket and the database."
  type        = string
}

variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  default     = "escriba"
}

variable "image" {
  description = "Image escriba-launchers, by digest: registry/escriba-launchers@sha256:…"
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must end in a digest: a tag may be pushed again, and runs pull it each time."
  }
}

variable "vpc_id" {
  description = "Network of the tasks and of the load balancer."
  type        = string
}

variable "private_subnet_ids" {
  description = "Subnets of the tasks, with a way out (NAT or endpoints)."
  type        = list(string)
}

variable "public_subnet_ids" {
  description = "Subnets of the load balancer."
  type        = list(string)
}

variable "allowed_cidrs" {
  description = "Networks from which browsers may reach the pages."
  type        = list(string)
}

variable "host" {
  description = "Name under which browsers open the pages; point it at the output load_balancer."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate of that name, in ACM."
  type        = string
}

variable "task_role_arn" {
  description = "Role of Escriba itself: the output orchestrator_role_arn of deploy/terraform/aws. What the launcher needs is attached to it."
  type        = string
}

variable "bucket" {
  description = "Bucket of the recordings, where logs of runs go too."
  type        = string
}

variable "secret_arns" {
  description = "Secrets by the name of their setting, as ARNs of Secrets Manager or the Parameter Store: DAGSTER_POSTGRES_URL and UI_PASSWORD, and keys such as RUNPOD_API_KEY."
  type        = map(string)

  validation {
    condition     = alltrue([for name in ["DAGSTER_POSTGRES_URL", "UI_PASSWORD"] : contains(keys(var.secret_arns), name)])
    error_message = "secret_arns must have DAGSTER_POSTGRES_URL and UI_PASSWORD."
  }
}

variable "settings" {
  description = "Settings of Escriba that are no secrets, by name."
  type        = map(string)
  default     = {}
}

variable "service_cpu" {
  description = "CPU units of the task of the four parts; 1,024 are one core."
  type        = number
  default     = 1024
}

variable "service_memory" {
  description = "Memory of that task, in MiB."
  type        = number
  default     = 4096
}

variable "run_cpu" {
  description = "CPU units of each run."
  type        = string
  default     = "2048"
}

variable "run_memory" {
  description = "Memory of each run, in MiB."
  type        = string
  default     = "4096"
}

variable "log_days" {
  description = "Days for which CloudWatch keeps logs."
  type        = number
  default     = 30
}
