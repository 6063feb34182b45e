"""The health of a queue: what AWS Batch says of it, and what its first job waits for."""

import asyncio

import pytest

from resources.gpu.aws.health import KEPT_SECONDS, head_seconds
from tests.fake_aws_batch_answers import DENIED, RESET


def health(provider):
    return provider.health()


def change(of, **changes):
    def do(batch):
        whole = batch.queues["spot"] if of == "queue" else batch.environments["spot-machines"]
        whole |= changes

    return do


def detach(batch):
    batch.queues["spot"]["computeEnvironmentOrder"] = []


INVALID = {"status": "INVALID", "statusReason": "CLIENT_ERROR - see https://a.example/?token=1"}
DOWN = {
    "disabled queue": (change("queue", state="DISABLED"), True, "enable it"),
    "invalid queue": (change("queue", **INVALID), True, "CLIENT_ERROR - see"),
    "queue in the making": (change("queue", status="CREATING"), False, "creating"),
    "no queue": (lambda batch: batch.queues.clear(), True, "AWS_BATCH_QUEUES"),
    "disabled machines": (change("environment", state="DISABLED"), True, "spot-machines"),
    "invalid machines": (change("environment", **INVALID), True, "CLIENT_ERROR - see"),
    "no machines": (detach, True, "none is attached"),
}


def test_a_queue_that_takes_jobs_is_well(ask):
    assert ask(health).state == "well"


@pytest.mark.parametrize(("break_", "lasting", "says"), DOWN.values(), ids=DOWN)
def test_a_queue_that_starts_nothing_is_down(batch, ask, break_, lasting, says):
    break_(batch)

    found = ask(health)

    assert (found.state, found.lasting) == ("down", lasting)
    assert says in found.reason
    assert "token=1" not in found.reason


def test_one_usable_compute_environment_is_enough(batch, ask):
    arn = batch.environments["spot-machines"]["computeEnvironmentArn"]
    batch.environments["more"] = batch.environments["spot-machines"] | {"status": "INVALID"}
    second = {"order": 2, "computeEnvironment": arn.replace("spot-machines", "more")}
    batch.queues["spot"]["computeEnvironmentOrder"].append(second)

    assert ask(health).state == "well"


@pytest.mark.parametrize(("seconds", "state"), [(599, "well"), (600, "degraded")])
def test_a_first_job_without_a_machine_for_ten_minutes_is_a_lack_of_capacity(
    batch, submit, ask, seconds, state
):
    submit()
    batch.head_seconds = seconds

    found = ask(health)

    assert found.state == state
    assert ("capacity" in found.reason) == (state == "degraded")


def test_how_long_it_was_first_is_told_by_one_clock():
    front = {"jobs": [{"earliestTimeAtPosition": 1_000}], "lastUpdatedAt": 61_000}

    assert head_seconds({"frontOfQueue": front}) == 60.0
    assert head_seconds({"frontOfQueue": {"jobs": [], "lastUpdatedAt": 61_000}}) == 0.0
    assert head_seconds({}) == 0.0


@pytest.mark.parametrize("fault", [DENIED, RESET])
def test_a_queue_whose_first_job_cannot_be_read_takes_jobs_anyway(batch, ask, fault):
    batch.faults["getjobqueuesnapshot"].append(fault)

    assert ask(health).state == "well"


def test_refused_credentials_last_and_silence_does_not(batch, ask):
    refused = ask(health, aws_access_key_id="AKIAOTHER")
    batch.faults["describejobqueues"].extend([RESET] * 9)
    silent = ask(health)

    assert (refused.state, refused.lasting) == ("down", True)
    assert "AWS_ACCESS_KEY_ID" in refused.reason
    assert (silent.state, silent.lasting) == ("down", False)


def test_it_is_requested_once_in_half_a_minute_however_many_ask(batch, ask, slept):
    async def run(provider):
        await asyncio.gather(*(provider.health() for _ in range(50)))
        slept.now += KEPT_SECONDS - 1
        await provider.health()
        once = batch.count("describejobqueues")
        slept.now += 2
        await provider.health()
        return once

    assert ask(run) == 1
    assert batch.count("describejobqueues") == 2


def test_a_queue_whose_job_waited_in_vain_is_left_alone_for_half_an_hour(batch, submit, ask, slept):
    """The cancelled job leaves an empty queue, which says nothing of it."""
    id_ = submit()

    async def run(provider):
        await provider.states([id_])
        slept.now += 700
        await provider.states([id_])
        await provider.stop([id_])
        states = [(await provider.health()).state]
        slept.now += 1_801
        return [*states, (await provider.health()).state]

    assert ask(run) == ["degraded", "well"]


def test_a_job_that_got_a_machine_ends_the_lack_of_capacity(batch, submit, ask, slept):
    id_ = submit()

    async def run(provider):
        await provider.states([id_])
        slept.now += 700
        await provider.states([id_])
        batch.jobs[id_].status = "STARTING"
        await provider.states([id_])
        return await provider.health()

    assert ask(run).state == "well"


def test_a_job_that_aws_batch_cancelled_for_lack_of_capacity_says_so(batch, submit, ask):
    id_ = submit()
    batch.jobs[id_].status = "FAILED"
    batch.jobs[id_].reason = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"

    async def run(provider):
        await provider.states([id_])
        return await provider.health()

    assert ask(run).state == "degraded"
