resource "google_service_account" "orchestrator" {
  account_id   = "${var.name}-orchestrator"
  display_name = "Escriba"
  description  = "Its bucket, its jobs at Batch, and the worker's account for their machines."

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_member" "orchestrator_jobs" {
  project = var.project
  role    = "roles/batch.jobsEditor"
  member  = local.orchestrator
}

# what `escriba doctor` reads: which zones offer which machine, and the quotas
resource "google_project_iam_custom_role" "offers" {
  role_id     = "${replace(var.name, "-", "_")}_offers"
  title       = "Escriba: offers"
  description = "Reads machine types and quotas."
  permissions = [
    "compute.acceleratorTypes.list",
    "compute.machineTypes.get",
    "compute.machineTypes.list",
    "compute.regions.get",
    "compute.regions.list",
    "compute.zones.list",
  ]

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_member" "orchestrator_offers" {
  project = var.project
  role    = google_project_iam_custom_role.offers.name
  member  = local.orchestrator
}

# on the worker's account alone: the orchestrator can start machines as no other
resource "google_service_account_iam_member" "orchestrator_as_worker" {
  service_account_id = google_service_account.worker.name
  role               = "roles/iam.serviceAccountUser"
  member             = local.orchestrator
}

# on itself: it signs addresses without a key
resource "google_service_account_iam_member" "orchestrator_signs" {
  service_account_id = google_service_account.orchestrator.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.orchestrator
}

resource "google_service_account_iam_member" "users" {
  for_each = toset(var.orchestrator_users)

  service_account_id = google_service_account.orchestrator.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.key
}

resource "google_secret_manager_secret_iam_member" "orchestrator" {
  for_each = toset(var.orchestrator_secret_ids)

  project   = var.project
  secret_id = each.key
  role      = "roles/secretmanager.secretAccessor"
  member    = local.orchestrator
}
