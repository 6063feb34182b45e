"""`escriba doctor` on an account of AWS: what is wrong with the set-up, and what to do."""

import boto3
import pytest

from cli.checks.aws_check import aws
from escriba.settings import load_settings
from resources.gpu.aws.machine_types import ONE_GPU
from resources.gpu.aws.set_up_faults import definition_faults, environment_faults, metadata_faults
from tests.fake_aws_batch import FakeAwsBatch
from tests.fake_aws_batch_account import definition, environment
from tests.fake_aws_batch_answers import DENIED
from tests.fake_catalogues import FakeRefusal, serving

SMALL = ONE_GPU["g6.xlarge"]


@pytest.fixture
def batch(tmp_path):
    with FakeAwsBatch(tmp_path, capacity=0, key="AKIATEST") as fake:
        yield fake


@pytest.fixture
def findings(batch, s3_server):
    """What doctor finds with settings; EC2 is moto's."""

    def find(**changes):
        given = batch.settings | {"storage_url": "s3://bucket", "aws_ec2_url": s3_server}
        return [*aws(load_settings(**(given | changes)))]

    return find


def states(found):
    return [one.state for one in found]


def machines(**changes):
    whole = environment("machines")
    return whole | {"computeResources": whole["computeResources"] | changes}


def job(*requirements, **changes):
    wanted = [dict(zip(("type", "value"), one, strict=True)) for one in requirements]
    given = {"containerProperties": {"resourceRequirements": wanted}} if requirements else {}
    return definition() | given | changes


def test_without_queues_there_is_nothing_to_check():
    assert [*aws(load_settings())] == []


def test_a_good_set_up_is_well(findings):
    found = findings()

    assert states(found) == ["well", "well", "well"]
    assert "accepts jobs" in found[0].found
    assert "g6.xlarge (L4) is offered in us-east-1" in found[2].found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"storage_url": ""}, "it is a folder"),
        ({"aws_batch_queues": "g5.48xlarge=spot"}, "has 8 GPUs"),
        ({"aws_batch_queues": "g6.xlarge=other"}, "has no queue 'other'"),
        ({"aws_batch_job_definition": "other"}, "no active job definition other"),
        ({"aws_access_key_id": "AKIAOTHER"}, "AWS refuses the credentials"),
        ({"aws_batch_url": "http://127.0.0.1:9"}, "does not answer"),
    ],
)
def test_what_keeps_jobs_from_running_is_broken(findings, changes, says):
    broken = [one for one in findings(**changes) if one.state == "broken"]

    assert any(says in one.found for one in broken)


def test_a_missing_permission_is_named(findings, batch):
    batch.faults["describejobdefinitions"].append(DENIED)

    [found] = findings()

    assert (found.state, "AWS denies a permission" in found.found) == ("broken", True)


def test_faults_of_the_set_up_are_odd_and_say_what_to_do(findings, batch):
    batch.environments["spot-machines"] = machines(allocationStrategy="BEST_FIT", minvCpus=4)
    batch.definitions["worker"] = job(("GPU", "1"), ("MEMORY", "16000"))

    odd = [one for one in findings() if one.state == "odd"]

    assert len(odd) == 3
    assert {one.advice.partition(" to review")[0] for one in odd} == {"Run `escriba deploy aws`"}


def test_ec2_that_refuses_is_odd(findings):
    with serving(FakeRefusal) as url:
        found = findings(aws_ec2_url=url)[-1]

    assert found.state == "odd"
    assert "ec2:DescribeInstanceTypeOfferings" in found.advice


def test_a_launch_template_that_hides_the_metadata_is_odd(findings, batch, s3_server):
    ec2 = boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=s3_server,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    options = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1}
    ec2.create_launch_template(
        LaunchTemplateName="near", LaunchTemplateData={"MetadataOptions": options}
    )
    template = {"launchTemplateName": "near", "version": "$Latest"}
    batch.environments["spot-machines"] = machines(launchTemplate=template)

    odd = " ".join(one.found for one in findings() if one.state == "odd")

    assert "HttpTokens=required" in odd
    assert "HttpPutResponseHopLimit=2" in odd


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"allocationStrategy": "BEST_FIT"}, "SPOT_PRICE_CAPACITY_OPTIMIZED"),
        ({"allocationStrategy": None}, "BEST_FIT"),
        ({"minvCpus": 4}, "set min vCPUs to 0"),
        ({"instanceTypes": ["g6.xlarge", "g5.xlarge"]}, "a queue of its own"),
        ({"ec2Configuration": [{"imageType": "ECS_AL2_NVIDIA"}]}, "ECS_AL2023_NVIDIA"),
    ],
)
def test_a_fault_of_the_machines_is_found(changes, says):
    [fault] = environment_faults(machines(**changes), SMALL)

    assert says in fault


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (job(("GPU", "4"), ("MEMORY", "14000")), "asks for 4 GPU"),
        (job(("VCPU", "4"), ("MEMORY", "14000")), "asks for no GPU"),
        (job(("GPU", "1"), ("MEMORY", "14001")), "wait for ever"),
        (job(retryStrategy={"attempts": 3}), "Host EC2"),
        (
            job(
                retryStrategy={
                    "attempts": 3,
                    "evaluateOnExit": [
                        {"onExitCode": "1", "action": "RETRY"},
                        {"onReason": "*", "action": "EXIT"},
                    ],
                }
            ),
            "Host EC2",
        ),
    ],
)
def test_a_fault_of_the_job_definition_is_found(wrong, says):
    [fault] = definition_faults(wrong, SMALL)

    assert says in fault


def test_what_is_right_has_no_fault():
    assert [*environment_faults(machines(), SMALL)] == []
    assert [*definition_faults(definition(), SMALL)] == []
    assert [*definition_faults(job(retryStrategy={}), SMALL)] == []
    assert [*metadata_faults(machines(), {})] == []
    assert [*metadata_faults(machines(), {"HttpTokens": "required"})] == []
