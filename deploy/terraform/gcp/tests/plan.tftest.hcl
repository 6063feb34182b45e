# What would be made, without an account: `terraform test`.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project         = "recordings-412817"
  regions         = ["us-central1", "europe-west4"]
  billing_account = "0A1B2C-3D4E5F-678901"
  alert_emails    = ["owner@example.com"]
}

run "the_bucket_is_private" {
  command = plan

  assert {
    condition     = google_storage_bucket.recordings.uniform_bucket_level_access && google_storage_bucket.recordings.public_access_prevention == "enforced"
    error_message = "The bucket could be made public."
  }
}

run "originals_go_after_30_days_and_transcripts_move_after_90" {
  command = plan

  assert {
    condition = toset([
      for rule in google_storage_bucket.recordings.lifecycle_rule : one(rule.action).type
      if length(coalesce(one(rule.condition).matches_prefix, [])) > 0 && contains(coalesce(one(rule.condition).matches_prefix, []), "inbox/") && one(rule.condition).age == 30
    ]) == toset(["Delete"])
    error_message = "Originals are not deleted after 30 days."
  }

  assert {
    condition = toset([
      for rule in google_storage_bucket.recordings.lifecycle_rule : one(rule.action).storage_class
      if contains(coalesce(one(rule.condition).matches_prefix, []), "transcripts/") && one(rule.condition).age == 90
    ]) == toset(["COLDLINE"])
    error_message = "Transcripts do not move to cold storage after 90 days."
  }
}

run "the_settings_are_printed" {
  command = plan

  assert {
    condition     = output.settings.GCP_PROJECT == "recordings-412817" && output.settings.GCP_BATCH_REGIONS == "us-central1,europe-west4" && output.settings.GCP_BATCH_MACHINES == "g2-standard-4"
    error_message = "The settings differ from the variables."
  }
}

run "no_alarm_without_a_billing_account" {
  command = plan

  variables {
    billing_account = ""
  }

  assert {
    condition     = length(google_billing_budget.monthly) == 0
    error_message = "Without a billing account there is no alarm."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    machine_types      = ["g2-standard-24"]
    orchestrator_users = ["allUsers"]
  }

  expect_failures = [var.machine_types, var.orchestrator_users]
}
