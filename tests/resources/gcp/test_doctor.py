"""What `escriba doctor` says about GCP Batch, and what to do."""

import pytest

from cli.checks.gcp_check import gcp as gcp_check
from escriba.settings import load_settings
from tests.fake_runpod import Fault, busy

ACCOUNT = {"gcp_batch_service_account": "worker@p.iam.gserviceaccount.com"}
DENIED = Fault(status=403, body=b'{"error": {"message": "Required permission"}}')


@pytest.fixture
def doctor(gcp):
    """What it finds, with a bucket that machines reach unless told otherwise."""

    def findings(**changes):
        bucket = {"storage_url": "gs://bucket/escriba"}
        settings = load_settings(**(gcp.settings | ACCOUNT | bucket | changes))
        return [(one.state, one.found, one.advice) for one in gcp_check(settings)]

    return findings


def test_all_that_is_well_is_said_with_the_zones_of_the_machine(doctor):
    found = doctor()

    assert {state for state, _, _ in found} == {"well"}
    assert "Batch answers in us-east1 for project escriba-test" in found[2][1]
    zones = "us-central1-a, europe-west4-a, us-east1-a"
    assert found[-1][1] == f"g2-standard-4 is offered in {zones}"


def test_without_settings_of_gcp_nothing_is_said(gcp):
    assert list(gcp_check(load_settings())) == []


@pytest.mark.parametrize(
    ("changes", "state", "says", "advice"),
    [
        ({"gcp_project": ""}, "broken", "GCP_PROJECT", ""),
        ({"gcp_batch_image": ""}, "broken", "GCP_BATCH_IMAGE is empty", ""),
        ({"storage_url": "file:///tmp/x"}, "broken", "it is a folder", "Set STORAGE_URL"),
        ({"gcp_batch_service_account": ""}, "odd", "default account", "GCP_BATCH_SERVICE_ACCOUNT"),
        ({"gcp_batch_machines": "g2-standard-32"}, "broken", "g2-standard-32", "PRICE_BOOK"),
        ({"google_application_credentials": "/no.json"}, "broken", "/no.json cannot be read", ""),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(doctor, changes, state, says, advice):
    assert [
        one for one in doctor(**changes) if one[0] == state and says in one[1] and advice in one[2]
    ]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (DENIED, "roles/batch.jobsEditor"),
        (Fault(status=403, body=b'{"error": {"message": "it is disabled"}}'), "services enable"),
    ],
)
def test_a_refusal_of_batch_is_said_once_with_what_to_do(gcp, doctor, fault, says):
    gcp.faults["list"].extend([fault] * 3)

    ((state, found, _),) = doctor()

    assert state == "broken"
    assert says in found


def test_regions_that_do_not_offer_the_machine_are_named(gcp, doctor):
    gcp.zones.discard("zones/us-east1-a")
    some = doctor()
    gcp.zones.clear()
    none = doctor()

    assert ("odd", "g2-standard-4 is not offered in us-east1") in [one[:2] for one in some]
    assert none[-1][0] == "broken"
    assert "offered in none of us-central1, europe-west4, us-east1" in none[-1][1]


def test_a_quota_of_zero_is_broken_for_the_way_in_which_machines_are_got(gcp, doctor):
    gcp.quotas["PREEMPTIBLE_NVIDIA_L4_GPUS"] = 0.0

    spot = doctor(gcp_batch_regions="us-central1")
    standard = doctor(gcp_batch_regions="us-central1", gcp_batch_provisioning="standard")

    assert spot[-1][0] == "broken"
    assert "quota for the GPU of g2-standard-4 in us-central1 is 0" in spot[-1][1]
    assert {state for state, _, _ in standard} == {"well"}


@pytest.mark.parametrize("fault", [DENIED, busy(503)])
def test_offers_that_cannot_be_read_are_odd_and_jobs_may_run(gcp, doctor, fault):
    gcp.faults["compute"].append(fault)

    state, found, advice = doctor()[-1]

    assert state == "odd"
    assert "cannot be read" in found
    assert "roles/compute.viewer" in advice
