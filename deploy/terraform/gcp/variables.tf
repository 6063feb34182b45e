variable "project" {
  description = "ID of the project, as in GCP_PROJECT."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be the ID of a project, such as recordings-412817."
  }
}

variable "regions" {
  description = "Regions of the machines, in the order in which they are tried, as in GCP_BATCH_REGIONS. The image repository is in the first."
  type        = list(string)
  default     = ["us-central1"]

  validation {
    condition     = length(var.regions) > 0 && alltrue([for region in var.regions : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])
    error_message = "regions must be regions of Google, such as us-central1."
  }
}

variable "name" {
  description = "Start of every name, so that two installations fit into one project."
  type        = string
  default     = "escriba"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,13}$", var.name))
    error_message = "name must have 2 to 14 characters of a-z, 0-9 and '-', and start with a letter."
  }
}

variable "labels" {
  description = "Further labels of everything, such as a cost center."
  type        = map(string)
  default     = {}
}

variable "billing_account" {
  description = "Billing account of the project, for the budget alarm; whoever deploys needs Billing Account Costs Manager on it. Empty: no alarm."
  type        = string
  default     = ""

  validation {
    condition     = var.billing_account == "" || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account must be the ID of a billing account, such as 0A1B2C-3D4E5F-678901."
  }
}

variable "monthly_budget_usd" {
  description = "Amount per month at which the budget alarm sends mail, at 80 and 100 % of it, and when the forecast passes it; in USD, which must be the currency of the billing account. 0: no alarm. It stops nothing; MONTHLY_COST_THRESHOLD does."
  type        = number
  default     = 1000

  validation {
    condition     = var.monthly_budget_usd >= 0 && floor(var.monthly_budget_usd) == var.monthly_budget_usd
    error_message = "monthly_budget_usd must be a whole number, 0 or more."
  }
}

variable "alert_emails" {
  description = "Addresses that get the budget alarm, beside the billing account's administrators."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "alert_emails must be mail addresses."
  }

  validation {
    condition     = length(var.alert_emails) <= 5
    error_message = "alert_emails may have 5 addresses at most, as Google allows."
  }
}

variable "log_days" {
  description = "Days that the workers' logs are kept in a log bucket of their own."
  type        = number
  default     = 30

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 3650
    error_message = "log_days must be from 1 to 3650."
  }
}
