variable "orchestrator_services" {
  description = "AWS services that may run the orchestrator with its role: the machine or container where Escriba itself runs."
  type        = list(string)
  default     = ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]

  validation {
    condition     = alltrue([for service in var.orchestrator_services : can(regex("^[a-z0-9-]+\\.amazonaws\\.com$", service))])
    error_message = "orchestrator_services must be services such as ec2.amazonaws.com."
  }
}

variable "orchestrator_principal_arns" {
  description = "Users and roles that may assume the orchestrator's role, such as your own."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.orchestrator_principal_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:", arn))])
    error_message = "orchestrator_principal_arns must be ARNs of users or roles, never '*'."
  }
}

variable "orchestrator_secret_arns" {
  description = "Secrets that the orchestrator may read, as ARNs of Secrets Manager or of the Parameter Store, such as an API key that its container gets."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for arn in var.orchestrator_secret_arns :
      can(regex("^arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/)[^*]+$", arn))
    ])
    error_message = "orchestrator_secret_arns must be ARNs of Secrets Manager or of the Parameter Store, without '*'."
  }
}
