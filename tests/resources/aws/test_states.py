"""What AWS Batch says of jobs, and how they are stopped."""

import pytest

from escriba.errors import BackendUnavailableError
from resources.gpu.aws.job_states import state_of
from resources.gpu.backend import AttemptReport
from resources.gpu.batch_machines.provider import MachineState
from tests.fake_aws_batch_answers import BROKEN, DENIED, HTML, LOST_ANSWER, RESET, TOO_MANY

TAKEN = "Host EC2 (instance i-0123456789abcdef0) terminated."


def failed(why, exit_code=None, **more):
    container = {} if exit_code is None else {"exitCode": exit_code}
    return {"status": "FAILED", "statusReason": why, "container": container | more}


async def submitted(provider, machine_job, count):
    names = [f"manifest-{n}" for n in range(count)]
    return [await provider.submit(machine_job(name)) for name in names]


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("SUBMITTED", "waits"),
        ("PENDING", "waits"),
        ("RUNNABLE", "waits"),
        ("STARTING", "runs"),
        ("RUNNING", "runs"),
        ("HIBERNATING", "unknown"),
    ],
)
def test_a_job_waits_or_runs(status, phase):
    assert state_of({"status": status}) == MachineState(phase)


def test_a_job_that_succeeded_has_no_error():
    state = state_of({"status": "SUCCEEDED", "statusReason": "Essential container in task exited"})

    assert state == MachineState("ended", AttemptReport("COMPLETED"))


@pytest.mark.parametrize(
    ("job", "report"),
    [
        (
            failed("Essential container in task exited", 2, logStreamName="worker/default/1"),
            AttemptReport(
                "FAILED",
                "Essential container in task exited; exit status 2; log stream worker/default/1",
            ),
        ),
        (failed(TAKEN), AttemptReport("FAILED", TAKEN, "cancelled")),
        (
            failed("Essential container in task exited", 4),
            AttemptReport(
                "FAILED", "Essential container in task exited; exit status 4", "cancelled"
            ),
        ),
        (
            failed("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY") | {"isCancelled": True},
            AttemptReport("CANCELLED", "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", "cancelled"),
        ),
        (
            failed("CannotPull", reason="see https://registry.example/image?token=1 for more"),
            AttemptReport("FAILED", "CannotPull; see (an address) for more"),
        ),
    ],
)
def test_a_job_that_failed_says_why_without_addresses(job, report):
    assert state_of(job) == MachineState("ended", report)


def test_250_jobs_take_three_requests_and_unknown_ones_are_missing(batch, ask, machine_job):
    async def run(provider):
        ids = await submitted(provider, machine_job, 250)
        batch.lose(ids[7])
        return ids, await provider.states([*ids, "somebody-elses"])

    ids, states = ask(run)

    assert set(states) == {*ids} - {ids[7]}
    assert {state.phase for state in states.values()} == {"waits"}
    assert batch.count("describejobs") == 3


@pytest.mark.parametrize("fault", [TOO_MANY, BROKEN, RESET, HTML])
def test_states_are_asked_for_again_after_a_passing_error(batch, submit, ask, fault):
    id_ = submit()
    batch.faults["describejobs"].append(fault)

    states = ask(lambda provider: provider.states([id_]))

    assert states == {id_: MachineState("waits")}


def test_a_service_that_does_not_answer_is_no_state(batch, ask):
    batch.faults["describejobs"].extend([RESET] * 9)

    with pytest.raises(BackendUnavailableError, match="does not answer"):
        ask(lambda provider: provider.states(["job"]))


def test_120_jobs_are_stopped_in_three_requests(batch, ask, machine_job):
    async def run(provider):
        ids = await submitted(provider, machine_job, 120)
        batch.faults["terminatejobs"].append(LOST_ANSWER)
        await provider.stop(ids)
        return await provider.states(ids)

    states = ask(run)

    assert {state.report.status for state in states.values()} == {"CANCELLED"}
    assert batch.count("terminatejobs") == 3 + 1


def test_what_could_not_be_stopped_is_only_logged(batch, ask, caplog):
    batch.faults["terminatejobs"].append(DENIED)

    ask(lambda provider: provider.stop(["job-1", "job-2"]))

    assert "2 jobs on AWS Batch were not stopped" in caplog.text


def test_the_page_of_a_job_is_in_its_region(provider_of):
    url = provider_of(aws_region="sa-east-1").console_url("0a1b")

    assert url == (
        "https://sa-east-1.console.aws.amazon.com/batch/home?region=sa-east-1#jobs/detail/0a1b"
    )
