"""Attempts left by a crashed run, recovered by the command, the job and the schedule."""

import json

import dagster as dg
import pytest
from click.testing import CliRunner

from cli import escriba
from escriba.billing.attempts import Attempt
from gpu_job.contract.process_identity import here
from intake.work_requests import read_requests
from pipelines.jobs import reconcile_job
from pipelines.schedules import reconcile_schedule
from resources.gpu.job_folder import JobFolder
from resources.spending.reservations import Spending, reservation_of

DEAD = here().model_copy(update={"started": "long ago"})  # an earlier process with this ID


@pytest.fixture
def abandoned(house, quick, clips):
    """The folder of a job with an attempt that a killed run left open."""
    recording = house.put(clips.english, "a.wav")
    house.batch([recording])
    [row] = house.attempts()
    folder = JobFolder(house.storage, "acme", row["job_id"])
    attempt = folder.attempt(1).model_copy(update={"end": None, "creator": DEAD})
    for name in ("result.json", "claim-1.json", "submitted-1.json"):
        house.storage.delete(folder.key(name))
    folder.close(attempt)
    Spending(house.storage).reserve(reservation_of(attempt))
    return folder


def end_of(folder):
    body = folder.storage.read(folder.key("attempt-1.json"))
    return Attempt.model_validate_json(body).end


def tick(house):
    context = dg.build_schedule_context(
        instance=house.instance, resources={"settings": house.settings}
    )
    return reconcile_schedule.evaluate_tick(context)


def test_the_command_closes_what_a_dead_run_left_and_says_what_to_do(house, abandoned, monkeypatch):
    monkeypatch.setenv("STORAGE_URL", house.settings.storage_url)

    result = CliRunner().invoke(escriba, ["reconcile", "--json"], catch_exceptions=False)

    told = json.loads(result.output)
    assert (result.exit_code, told["to_be_run"], told["troubles"]) == (0, ["acme/a.wav"], [])
    assert end_of(abandoned).status == "buried"


def test_the_schedule_begins_a_run_only_where_something_is_open(house, abandoned):
    assert len(tick(house).run_requests) == 1

    for one, _ in list(Spending(house.storage).open()):
        Spending(house.storage).withdraw(one)
    assert tick(house).run_requests == []


def test_the_job_closes_it_and_asks_for_its_recording(house, abandoned):
    result = reconcile_job.execute_in_process(
        instance=house.instance, resources={"settings": house.settings}
    )

    assert result.success
    assert end_of(abandoned).status == "buried"
    [request] = read_requests(house.storage)
    assert request.keys == ("acme/a.wav",)


def test_a_recording_that_is_gone_is_not_asked_for(house, abandoned):
    house.storage.delete("inbox/acme/a.wav")

    reconcile_job.execute_in_process(
        instance=house.instance, resources={"settings": house.settings}
    )

    assert list(read_requests(house.storage)) == []
