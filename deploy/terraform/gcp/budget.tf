locals {
  has_budget = var.billing_account != "" && var.monthly_budget_usd > 0
}

resource "google_monitoring_notification_channel" "mail" {
  for_each = local.has_budget ? toset(var.alert_emails) : []

  display_name = "Escriba: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.needed]
}

resource "google_billing_budget" "monthly" {
  count = local.has_budget ? 1 : 0

  billing_account = var.billing_account
  display_name    = "${var.name}-monthly"

  budget_filter {
    projects        = ["projects/${data.google_project.current.number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      currency_code = "USD"
      units         = tostring(var.monthly_budget_usd)
    }
  }

  threshold_rules {
    threshold_percent = 0.8
  }

  threshold_rules {
    threshold_percent = 1.0
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [for channel in google_monitoring_notification_channel.mail : channel.id]
    disable_default_iam_recipients   = false
  }

  depends_on = [google_project_service.needed]
}
