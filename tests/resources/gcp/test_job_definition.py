"""What a job on GCP Batch is defined as, and which settings are refused."""

import pytest

from escriba.settings import SettingsError, load_settings
from resources.gpu.gcp.batch_options import batch_options
from resources.gpu.gcp.job_definition import job_definition

BASE = {
    "gcp_project": "escriba-test",
    "gcp_batch_machines": "g2-standard-4",
    "gcp_batch_image": "registry.example/worker:1",
}


def options(**changes):
    (found,) = batch_options(load_settings(**(BASE | changes)))
    return found


def defined(job, region="us-central1", **changes):
    return job_definition(options(**changes), job, region)


def instance(definition):
    return definition["allocationPolicy"]["instances"][0]


def test_one_task_runs_the_worker_with_one_manifest_in_the_jobs_own_region(job):
    definition = defined(job(), "europe-west4")

    (group,) = definition["taskGroups"]
    assert group["taskCount"] == "1"
    container = group["taskSpec"]["runnables"][0]["container"]
    assert container["commands"] == ["python", "-m", "gpu_job", "--manifest", job().manifest_url]
    assert container["imageUri"] == "registry.example/worker:1"
    places = definition["allocationPolicy"]["location"]["allowedLocations"]
    assert places == ["regions/europe-west4"]
    assert definition["logsPolicy"] == {"destination": "CLOUD_LOGGING"}


def test_only_machines_that_went_are_retried_and_a_run_has_an_end(job):
    spec = defined(job(run_limit_seconds=600))["taskGroups"][0]["taskSpec"]

    (policy,) = spec["lifecyclePolicies"]
    assert policy["action"] == "RETRY_TASK"
    assert {50001, 50002} <= set(policy["actionCondition"]["exitCodes"])
    assert not {1, 2, 50005} & set(policy["actionCondition"]["exitCodes"])
    assert 0 < spec["maxRetryCount"] <= 10
    assert spec["maxRunDuration"] == "1500s"  # with the time to start


@pytest.mark.parametrize(
    ("provisioning", "model", "notices", "sku"),
    [
        ("spot", "SPOT", "gcp", "g2-standard-4"),
        ("flex_start", "FLEX_START", "none", "g2-standard-4-on-demand"),
        ("standard", "STANDARD", "none", "g2-standard-4-on-demand"),
    ],
)
def test_only_spot_machines_are_watched_for_notices_and_each_has_its_own_price(
    job, provisioning, model, notices, sku
):
    definition = defined(job(), gcp_batch_provisioning=provisioning)

    assert instance(definition)["policy"]["provisioningModel"] == model
    variables = definition["taskGroups"][0]["taskSpec"]["environment"]["variables"]
    assert variables["SPOT_NOTICES"] == notices
    assert options(gcp_batch_provisioning=provisioning).sku == sku


def test_a_gpu_that_is_a_part_of_the_machine_is_not_attached_and_others_are(job):
    built_in = instance(defined(job()))
    attached = instance(defined(job(), gcp_batch_machines="n1-standard-4-t4"))

    assert built_in["installGpuDrivers"] is attached["installGpuDrivers"] is True
    assert "accelerators" not in built_in["policy"]
    assert attached["policy"]["machineType"] == "n1-standard-4"
    assert attached["policy"]["accelerators"] == [{"type": "nvidia-tesla-t4", "count": "1"}]


def test_the_same_labels_are_on_the_job_and_on_its_machine_as_google_allows_them(job):
    definition = defined(job(labels={"Tenant": "Acmé & Söhne " + "x" * 80}))

    labels = definition["labels"]
    assert labels == definition["allocationPolicy"]["labels"]
    assert labels["escriba"] == job().name
    assert labels["tenant"].startswith("acm----s-hne-x")
    assert len(labels["tenant"]) == 63


def test_a_machine_without_an_external_address_has_a_network_of_its_region(job):
    inside = {"gcp_batch_external_address": False, "gcp_batch_network": "vpc"}
    network = defined(job(), "us-east1", **inside)["allocationPolicy"]["network"]

    (interface,) = network["networkInterfaces"]
    assert interface == {
        "network": "global/networks/vpc",
        "subnetwork": "regions/us-east1/subnetworks/vpc",
        "noExternalIpAddress": True,
    }
    assert "network" not in defined(job())["allocationPolicy"]
    default = defined(job(), gcp_batch_external_address=False)["allocationPolicy"]["network"]
    assert default["networkInterfaces"][0]["network"] == "global/networks/default"


def test_the_account_of_the_machines_is_the_one_that_is_set(job):
    own = defined(job(), gcp_batch_service_account="worker@p.iam.gserviceaccount.com")

    account = own["allocationPolicy"]["serviceAccount"]
    assert account == {"email": "worker@p.iam.gserviceaccount.com"}
    assert "serviceAccount" not in defined(job())["allocationPolicy"]


def test_the_regions_are_those_that_are_set_or_that_of_the_prices():
    assert options().regions == ("us-central1",)
    assert options(gcp_region="southamerica-east1").regions == ("southamerica-east1",)
    some = options(gcp_batch_regions="us-east1, europe-west4,us-east1")
    assert some.regions == ("us-east1", "europe-west4")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gcp_project": ""}, "GCP_PROJECT: '' is not a project ID"),
        ({"gcp_project": "My Project"}, "GCP_PROJECT: 'My Project'"),
        ({"gcp_batch_image": ""}, "GCP_BATCH_IMAGE is empty"),
        ({"gcp_batch_machines": "n2-standard-4"}, "'n2-standard-4' is not a machine type"),
        ({"gcp_batch_machines": "g2-standard-24"}, "with one GPU"),
        ({"gcp_batch_machines": "n1-standard-4"}, "such as n1-standard-4-t4"),
        ({"gcp_batch_machines": "n1-standard-4-h100"}, "GCP_BATCH_MACHINES"),
        ({"gcp_batch_machines": "g2-standard-4,g2-standard-4"}, "named twice"),
        ({"gcp_batch_regions": "us-central1-a"}, "'us-central1-a' is not a region"),
        ({"gcp_batch_provisioning": "cheap"}, "GCP_BATCH_PROVISIONING"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_with_its_name(changes, says):
    with pytest.raises(SettingsError, match=says.replace("(", r"\(")):
        options(**changes)
