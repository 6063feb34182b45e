"""`escriba deploy aws` with the real Terraform against an AWS on loopback: all there is to make.

One test process deploys, plans again, looks at AWS and at the state, and removes everything. For
most of its three minutes, Terraform's provider waits for what takes long to settle at AWS.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from escriba.settings import HOUSE
from tests.deploy.terraform_runs import environment, module

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("terraform-aws")]

ACCESS_KEY, SECRET_KEY, TOKEN = "AKIAEXAMPLE", "the-secret-access-key", "hf_the-token"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/huggingface-token"
# AWS limits these actions to no resource (its Service Authorization Reference); all only read, or
# give what is worth nothing without further permissions
WITHOUT_RESOURCES = {
    "batch:DescribeComputeEnvironments",
    "batch:DescribeJobDefinitions",
    "batch:DescribeJobQueues",
    "batch:DescribeJobs",
    "batch:ListJobs",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeSpotPriceHistory",
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
}


@dataclass(frozen=True)
class Deployed:
    """What the three calls said, and what was there after the first."""

    first: dict
    again: dict
    removed: dict
    state: str
    facts: dict
    left: str


@contextmanager
def aws():
    """The address of an AWS on loopback."""
    server = Path(__file__).with_name("aws_server.py")
    paths = os.environ | {"PYTHONPATH": str(HOUSE)}
    with subprocess.Popen([sys.executable, server], stdin=-1, stdout=-1, env=paths) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def escriba(folder, url, *arguments):
    """What the command prints as JSON."""
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    own = {"PYTHONPATH": str(HOUSE), "AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "deploy", "aws", "--json", *arguments],
        cwd=folder,
        env=environment() | keys | own | {"RUNPOD_API_KEY": "rp_secret"},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    assert SECRET_KEY not in done.stdout + done.stderr
    return json.loads(done.stdout)


def client(url, service):
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", **keys)


def facts(url):
    """What AWS itself says of the parts whose form matters most."""
    batch, s3 = client(url, "batch"), client(url, "s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    return {
        "environments": batch.describe_compute_environments()["computeEnvironments"],
        "queues": batch.describe_job_queues()["jobQueues"],
        "definition": batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"][0],
        "bucket": bucket,
        "public": s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        "rules": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        "versions": s3.get_bucket_versioning(Bucket=bucket)["Status"],
    }


def left(url):
    """What is still there, as one text; empty: nothing."""
    found = [
        *client(url, "batch").describe_job_queues()["jobQueues"],
        *client(url, "batch").describe_compute_environments()["computeEnvironments"],
        *client(url, "s3").list_buckets()["Buckets"],
        *client(url, "ecr").describe_repositories()["repositories"],
        *client(url, "logs").describe_log_groups()["logGroups"],
        *client(url, "budgets").describe_budgets(AccountId="123456789012")["Budgets"],
        *client(url, "iam").list_policies(Scope="Local")["Policies"],
        *client(url, "iam").list_instance_profiles()["InstanceProfiles"],
        *client(url, "ec2").describe_launch_templates()["LaunchTemplates"],
    ]
    return json.dumps(found, default=str) if found else ""


@pytest.fixture(scope="session")
def deployed(tmp_path_factory):
    """Deployed, planned again, looked at and removed, once."""
    module("aws", tmp_path_factory.mktemp("module"))  # skips without the provider
    folder = tmp_path_factory.mktemp("deployment")
    variables = {
        "machine_types": json.dumps(["g6.xlarge", "g4dn.2xlarge"]),
        "alert_emails": json.dumps(["owner@example.com"]),
        "worker_secret_arns": json.dumps({"HUGGINGFACE_TOKEN": PARAMETER}),
    }
    given = [f"--var={name}={value}" for name, value in variables.items()]
    with aws() as url:
        ssm = client(url, "ssm")
        ssm.put_parameter(Name="/huggingface-token", Value=TOKEN, Type="SecureString")
        first = escriba(folder, url, "--yes", *given)
        again = escriba(folder, url)
        state = (folder / "data/terraform/aws/terraform.tfstate").read_text("utf-8")
        seen = facts(url)
        removed = escriba(folder, url, "--remove", "--yes")
        return Deployed(first, again, removed, state, seen, left(url))


def statements(state):
    """Every statement of every policy in a state, with the resource that has it."""
    for resource in json.loads(state)["resources"]:
        for instance in resource["instances"]:
            for name in ("policy", "assume_role_policy"):
                text = instance["attributes"].get(name)
                if text and resource["mode"] == "managed" and "Statement" in text:
                    where = f"{resource['type']}.{resource['name']}"
                    yield from ((where, one) for one in json.loads(text)["Statement"])


def as_list(value):
    return value if isinstance(value, list) else [value]


def test_the_settings_to_add_are_printed(deployed):
    assert deployed.first["action"] == "applied"
    assert deployed.first["set"] == {
        "AWS_REGION": "us-east-1",
        "STORAGE_URL": "s3://escriba-123456789012-us-east-1",
        "AWS_BATCH_QUEUES": "g6.xlarge=escriba-g6-xlarge,g4dn.2xlarge=escriba-g4dn-2xlarge",
        "AWS_BATCH_JOB_DEFINITION": "escriba-worker",
    }
    assert deployed.first["outputs"]["image"].endswith("/escriba-worker:0.1.0")


def test_a_second_plan_is_empty(deployed):
    assert (deployed.again["action"], deployed.again["changes"]) == ("unchanged", [])
    assert deployed.again["set"] == deployed.first["set"]


def test_a_removal_leaves_nothing(deployed):
    assert deployed.removed["action"] == "removed"
    assert {one["action"] for one in deployed.removed["changes"]} == {"remove"}
    assert len(deployed.removed["changes"]) == len(deployed.first["changes"])
    assert deployed.left == ""


def test_machines_are_spot_of_one_type_each_and_none_runs_without_a_job(deployed):
    for one in deployed.facts["environments"]:
        resources = one["computeResources"]
        assert resources["type"] == "SPOT"
        assert resources["allocationStrategy"] == "SPOT_PRICE_CAPACITY_OPTIMIZED"
        assert (resources["minvCpus"], resources["maxvCpus"]) == (0, 16)
        assert len(resources["instanceTypes"]) == 1
        assert resources["ec2Configuration"] == [{"imageType": "ECS_AL2023_NVIDIA"}]
        assert resources["tags"]["Stack"] == "escriba"


def test_a_job_that_finds_no_machine_is_cancelled(deployed):
    for queue in deployed.facts["queues"]:
        assert queue["jobStateTimeLimitActions"] == [
            {
                "state": "RUNNABLE",
                "reason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
                "maxTimeSeconds": 600,
                "action": "CANCEL",
            }
        ]


def test_the_job_definition_has_one_gpu_and_fits_into_16_gib(deployed):
    definition = deployed.facts["definition"]
    container = definition["containerProperties"]
    wanted = {one["type"]: int(one["value"]) for one in container["resourceRequirements"]}

    assert wanted == {"GPU": 1, "MEMORY": 14_000, "VCPU": 4}
    assert container["environment"] == [{"name": "SPOT_NOTICES", "value": "aws"}]
    assert container["secrets"] == [{"name": "HUGGINGFACE_TOKEN", "valueFrom": PARAMETER}]
    assert definition["timeout"]["attemptDurationSeconds"] == 14_400
    assert [one["action"].lower() for one in definition["retryStrategy"]["evaluateOnExit"]] == [
        "retry",
        "exit",
    ]


def test_the_bucket_is_private_and_forgets_originals_after_30_days(deployed):
    rules = {one["ID"]: one for one in deployed.facts["rules"]}

    assert all(deployed.facts["public"].values())
    assert deployed.facts["versions"] == "Enabled"
    assert rules["originals"]["Expiration"]["Days"] == 30
    (moved,) = rules["transcripts"]["Transitions"]
    assert (moved["Days"], moved["StorageClass"]) == (90, "GLACIER_IR")
    assert rules["manifests"]["Expiration"]["Days"] == 7
    assert rules["leftovers"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7


def test_no_secret_is_in_the_state(deployed):
    for secret in (SECRET_KEY, ACCESS_KEY, TOKEN, "rp_secret"):
        assert secret not in deployed.state
    assert PARAMETER in deployed.state  # so the state was looked at


def test_no_permission_is_wider_than_aws_makes_it(deployed):
    found = list(statements(deployed.state))

    assert len(found) > 10
    for where, statement in found:
        if statement["Effect"] == "Deny":
            continue
        actions = as_list(statement["Action"])
        assert not [action for action in actions if "*" in action], where
        if "*" in as_list(statement.get("Resource", [])):
            assert set(actions) <= WITHOUT_RESOURCES, where
            assert statement["Condition"]["StringEquals"]["aws:RequestedRegion"] == "us-east-1"
        assert "*" not in str(statement.get("Principal", "")), where


def test_the_worker_itself_may_do_nothing(deployed):
    names = {"aws_iam_role_policy", "aws_iam_role_policy_attachment"}
    roles = [
        instance["attributes"]["role"]
        for resource in json.loads(deployed.state)["resources"]
        if resource["type"] in names
        for instance in resource["instances"]
    ]

    assert sorted(set(roles)) == ["escriba-machine", "escriba-orchestrator", "escriba-start"]


def test_the_orchestrator_may_submit_to_its_queues_alone(deployed):
    (submit,) = (
        one for where, one in statements(deployed.state) if "batch:SubmitJob" in one["Action"]
    )

    queues = [one for one in submit["Resource"] if ":job-queue/" in one]
    assert sorted(queues) == sorted(one["jobQueueArn"] for one in deployed.facts["queues"])
    assert (
        "arn:aws:batch:us-east-1:123456789012:job-definition/escriba-worker:*" in submit["Resource"]
    )
