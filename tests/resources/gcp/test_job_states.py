"""What the answers of GCP Batch about a job mean."""

import pytest

from resources.gpu.backend import AttemptReport
from resources.gpu.gcp.job_states import seen_job

PREEMPTED = "Task state is updated from RUNNING to FAILED due to preemption with exit code 50001."
DRY = "Batch Error: code - CODE_GCE_ZONE_RESOURCE_POOL_EXHAUSTED, description - error count is 3"
QUOTA = "Batch Error: code - CODE_GCE_QUOTA_EXCEEDED, description - Quota 'NVIDIA_L4_GPUS' exceeded"


@pytest.mark.parametrize(
    ("state", "counts", "phase"),
    [
        ("QUEUED", {"PENDING": "1"}, "waits"),
        ("SCHEDULED", {"PENDING": "1"}, "waits"),
        ("RUNNING", {"RUNNING": "1"}, "runs"),
        ("RUNNING", {"ASSIGNED": "1"}, "runs"),
        ("RUNNING", {"PENDING": "1"}, "runs"),
        ("RUNNING", {}, "runs"),
        ("CANCELLATION_IN_PROGRESS", {"RUNNING": "1"}, "unknown"),
        ("STATE_OF_2027", {}, "unknown"),
        ("SUCCEEDED", {"SUCCEEDED": "1"}, "ended"),
        ("FAILED", {"FAILED": "1"}, "ended"),
        ("CANCELLED", {"PENDING": "1"}, "ended"),
        ("DELETION_IN_PROGRESS", {"RUNNING": "1"}, "ended"),
    ],
)
def test_each_state_has_its_phase(status_of, state, counts, phase):
    seen = seen_job(status_of(state, counts=counts))

    assert seen.state.phase == phase
    assert (seen.name, seen.region) == ("j", "us-central1")
    assert (seen.state.report is not None) == (phase == "ended")


def test_a_task_that_was_preempted_and_done_later_has_succeeded_whatever_its_last_code(status_of):
    seen = seen_job(status_of("SUCCEEDED", PREEMPTED, counts={"SUCCEEDED": "1"}))
    counted = seen_job(status_of("FAILED", PREEMPTED, counts={"SUCCEEDED": "1", "FAILED": "0"}))

    assert seen.state.report == counted.state.report == AttemptReport("COMPLETED")


def test_a_job_between_two_machines_needs_one_and_a_running_one_does_not(status_of):
    waiting = seen_job(status_of("RUNNING", PREEMPTED, counts={"PENDING": "1"}))

    assert waiting.needs_machine
    assert seen_job(status_of("QUEUED")).needs_machine
    assert not seen_job(status_of("RUNNING", counts={"RUNNING": "1"})).needs_machine
    assert not seen_job(status_of("SUCCEEDED")).needs_machine


def test_a_machine_that_was_taken_is_not_the_workers_fault_and_its_own_failure_is(status_of):
    taken = seen_job(status_of("FAILED", PREEMPTED, "Job state is set to FAILED")).state.report
    own = "Task state is updated from RUNNING to FAILED on zones/z with exit code 2."
    failed = seen_job(status_of("FAILED", own)).state.report

    assert failed.code == ""
    assert failed.error.startswith("the worker found no models, or its manifest was gone: ")
    assert taken.status == failed.status == "FAILED"
    stopped = seen_job(status_of("CANCELLED", own)).state.report
    assert (stopped.code, stopped.error) == ("cancelled", "")


def test_a_failure_by_preemption_after_all_retries_is_told_as_one(status_of):
    report = seen_job(status_of("FAILED", "Job failed.", PREEMPTED)).state.report

    assert report.code == "cancelled"
    assert report.error.startswith("the machine was preempted: ")


def test_no_address_of_an_event_is_told(status_of):
    text = (
        "FAILED: cannot read https://bucket.example/m.json?X-Goog-Signature=0123 with exit code 2"
    )
    report = seen_job(status_of("FAILED", text)).state.report

    assert "Signature" not in report.error
    assert "(an address)" in report.error


@pytest.mark.parametrize(("text", "lack"), [(DRY, "capacity"), (QUOTA, "quota"), ("fine", "")])
def test_an_event_says_what_a_machine_is_missing_for(status_of, text, lack):
    assert seen_job(status_of("QUEUED", "Job is queued.", text)).lack == lack


@pytest.mark.parametrize(
    "answer",
    [{}, {"status": []}, {"name": 3, "status": {"statusEvents": 1, "taskGroups": [1]}}],
)
def test_an_answer_of_another_form_is_an_unknown_state(answer):
    assert seen_job(answer).state.phase == "unknown"
