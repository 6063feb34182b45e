variable "region" {
  description = "Region of everything, as in AWS_REGION."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region of AWS, such as us-east-1."
  }
}

variable "name" {
  description = "Start of every name, so that two installations fit into one account."
  type        = string
  default     = "escriba"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name must have 2 to 24 characters of a-z, 0-9 and '-', and start with a letter."
  }
}

variable "tags" {
  description = "Further tags of everything, such as a cost center."
  type        = map(string)
  default     = {}
}

variable "vpc_id" {
  description = "Network of the machines. Empty: the account's default network, whose subnets reach the internet without a NAT gateway."
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "Subnets of the machines; more zones find more spot machines. Empty: all subnets of the network. Each must reach S3, ECR, ECS and CloudWatch Logs."
  type        = list(string)
  default     = []
}

variable "s3_route_table_ids" {
  description = "Route tables that get a gateway endpoint for S3, which is free and keeps audio off a NAT gateway. Empty: none."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "Amount in USD per month at which the budget alarm sends mail, at 80 and 100 % of it, and when the forecast passes it. 0: no alarm. It stops nothing; MONTHLY_COST_THRESHOLD does."
  type        = number
  default     = 1000

  validation {
    condition     = var.monthly_budget_usd >= 0
    error_message = "monthly_budget_usd must be 0 or more."
  }
}

variable "alert_emails" {
  description = "Addresses that get the budget alarm."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "alert_emails must be mail addresses."
  }

  validation {
    condition     = length(var.alert_emails) <= 10
    error_message = "alert_emails may have 10 addresses at most, as AWS allows."
  }

  validation {
    condition     = length(var.alert_emails) > 0 || var.monthly_budget_usd == 0
    error_message = "alert_emails needs an address, or nobody hears the budget alarm. Set monthly_budget_usd = 0 to go without it."
  }
}

variable "budget_of_tagged" {
  description = "Whether the alarm counts only what has the tag Stack = name, instead of the whole account. First activate the tag Stack for cost allocation, in the billing console of the paying account: until then nothing is counted."
  type        = bool
  default     = false
}

variable "log_days" {
  description = "Days that the workers' logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "log_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 and 731."
  }
}
