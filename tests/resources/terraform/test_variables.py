"""Variables of Terraform from the settings; each is a variable of its module."""

import pytest

from escriba.settings import SettingsError, load_settings
from resources.terraform.variables import aws_variables, gcp_variables
from tests.deploy.hcl_files import blocks


def names(cloud):
    return {one.name for one in blocks(cloud) if one.kind == "variable"}


MAIL = {
    "budget_owners": "a@example.com, b@example.com",
    "report_mail_from": "e@example.com",
    "smtp_host": "localhost",
}


def test_aws_gets_the_region_the_machines_the_lease_and_the_alarm():
    settings = load_settings(
        aws_region="eu-west-1",
        aws_batch_queues="g6.xlarge=one, g5.xlarge=two",
        machine_lease_seconds=7_200,
        job_timeout_seconds=9_000,
        monthly_cost_threshold="250.10",
        **MAIL,
    )

    assert aws_variables(settings) == {
        "region": "eu-west-1",
        "machine_types": ["g6.xlarge", "g5.xlarge"],
        "lease_seconds": 9_000,
        "monthly_budget_usd": 251,
        "alert_emails": ["a@example.com", "b@example.com"],
    }


def test_google_gets_the_project_the_regions_and_the_machines():
    settings = load_settings(
        gcp_project="recordings-412817",
        gcp_batch_regions="us-central1,europe-west4",
        gcp_batch_machines="g2-standard-4",
    )
    made = gcp_variables(settings)

    assert made["project"] == "recordings-412817"
    assert made["regions"] == ["us-central1", "europe-west4"]
    assert made["machine_types"] == ["g2-standard-4"]


def test_what_is_not_set_keeps_the_default_of_the_module():
    made = aws_variables(load_settings(monthly_cost_threshold="none"))

    assert set(made) == {"region", "lease_seconds"}


def test_every_variable_from_the_settings_is_one_of_its_module():
    settings = load_settings(
        gcp_project="recordings-412817",
        gcp_batch_machines="g2-standard-4",
        aws_batch_queues="g6.xlarge=one",
        **MAIL,
    )

    assert set(aws_variables(settings)) <= names("aws")
    assert set(gcp_variables(settings)) <= names("gcp")


def test_google_needs_a_project():
    with pytest.raises(SettingsError, match="GCP_PROJECT"):
        gcp_variables(load_settings())
