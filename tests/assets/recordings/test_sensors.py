"""Sensors are shells: the runs they request, and when they skip."""

import time

import dagster as dg
import pytest
from sqlalchemy.exc import IntegrityError

from assets.recordings.partitions import add_partitions
from escriba.recordings import Recording
from escriba.stages import NIGHT_TAG
from intake.work_requests import new_request, submit_request
from pipelines.jobs import nightly_job
from resources.storage.base import StorageError
from sensors.digest import digest_sensor
from sensors.inbox import inbox_sensor
from sensors.ledger import ledger_sensor
from sensors.requests import requests_sensor
from sensors.running import keys_of


def tick(house, sensor, cursor=None):
    context = dg.build_sensor_context(
        instance=house.instance, cursor=cursor, resources={"settings": house.settings}
    )
    return sensor.evaluate_tick(context)


def test_a_bucket_that_cannot_be_listed_fails_the_tick_and_is_no_empty_inbox(house):
    house.root.mkdir(parents=True)
    (house.root / "inbox").write_bytes(b"")

    with pytest.raises(StorageError):
        tick(house, inbox_sensor)


def test_keys_are_partitions_before_their_run_is_asked_for(house, clips):
    recordings = [house.put(clips.english, f"{i}.wav") for i in range(3)]
    house.settings = house.settings.model_copy(update={"batch_size": 2})
    first = tick(house, inbox_sensor)
    assert first.run_requests == []
    assert "stopped growing" in first.skip_message

    second = tick(house, inbox_sensor, first.cursor)

    keys = [keys_of(run.run_config) for run in second.run_requests]
    assert keys == [["acme/0.wav", "acme/1.wav"], ["acme/2.wav"]]
    known = house.instance.get_dynamic_partitions("recordings")
    assert set(known) == {recording.partition_key for recording in recordings}
    assert len({run.run_key for run in second.run_requests}) == 2


def test_a_cursor_of_another_version_begins_anew(house, clips):
    house.put(clips.english, "a.wav")

    seen = tick(house, inbox_sensor, cursor='{"seen": 7}')

    assert "stopped growing" in seen.skip_message


def test_a_request_of_thousands_becomes_runs_of_the_batch_size_a_few_a_tick(house):
    house.settings = house.settings.model_copy(update={"batch_size": 10})
    recordings = [Recording("acme", f"{i:03}.wav") for i in range(255)]
    submit_request(house.storage, new_request("backfill", recordings))

    first = tick(house, requests_sensor)
    second = tick(house, requests_sensor, first.cursor)
    third = tick(house, requests_sensor, second.cursor)

    runs = [*first.run_requests, *second.run_requests]
    assert (len(first.run_requests), len(second.run_requests)) == (20, 6)
    keys = [key for run in runs for key in keys_of(run.run_config)]
    assert keys == [recording.partition_key for recording in recordings]
    assert third.run_requests == []
    assert list(house.storage.list("requests/")) == []


def test_what_a_run_has_already_is_not_asked_for_again_unless_it_is_forced(house):
    config = {"ops": {"recording_chain": {"config": {"keys": ["acme/a.wav"]}}}}
    house.instance.add_run(
        dg.DagsterRun(
            job_name="recordings_job", run_config=config, status=dg.DagsterRunStatus.STARTED
        )
    )
    recordings = [Recording("acme", "a.wav"), Recording("acme", "b.wav")]
    submit_request(house.storage, new_request("the night", recordings, name="1"))
    submit_request(
        house.storage, new_request("backfill", recordings, name="2", forced=["transcript"])
    )

    plain, forced = tick(house, requests_sensor).run_requests

    assert keys_of(plain.run_config) == ["acme/b.wav"]
    assert keys_of(forced.run_config) == ["acme/a.wav", "acme/b.wav"]
    assert forced.tags["escriba/force"] == "transcript"


def test_new_rows_build_the_ledger_once(house, clips):
    assert tick(house, ledger_sensor).run_requests == []
    house.run([house.put(clips.english, "a.wav")])

    first = tick(house, ledger_sensor)
    second = tick(house, ledger_sensor, first.cursor)
    house.run([house.put(clips.other, "b.wav")])
    third = tick(house, ledger_sensor, second.cursor)

    assert (len(first.run_requests), len(second.run_requests)) == (1, 0)
    assert third.run_requests[0].run_key != first.run_requests[0].run_key


def test_a_digest_waits_for_the_nights_runs_and_not_for_ever(house, monkeypatch):
    night = dg.DagsterRun(job_name=nightly_job.name, tags={NIGHT_TAG: "2026-11-24"})
    house.instance.add_run(night)
    house.instance.report_engine_event("began", night)
    for event in (dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_SUCCESS):
        house.instance.report_dagster_event(_event(event, night), night.run_id)
    running = dg.DagsterRun(
        job_name="recordings_job",
        tags={"escriba/reason": "the night"},
        status=dg.DagsterRunStatus.STARTED,
    )
    house.instance.add_run(running)
    now = time.time()

    def nights_at(later_seconds):
        monkeypatch.setattr(time, "time", lambda: now + later_seconds)
        return [run.tags[NIGHT_TAG] for run in tick(house, digest_sensor).run_requests]

    assert nights_at(600) == []
    assert nights_at(9 * 3600) == ["2026-11-24"]
    house.instance.delete_run(running.run_id)
    assert nights_at(10) == []  # the requests sensor may not have seen the request yet
    assert nights_at(600) == ["2026-11-24"]


def _event(kind, run):
    return dg.DagsterEvent(event_type_value=kind.value, job_name=run.job_name)


def test_two_processes_that_add_the_same_partitions_at_once_both_succeed(house, monkeypatch):
    add, calls = house.instance.add_dynamic_partitions, []

    def overtaken(name, keys):
        calls.append(keys)
        if len(calls) == 1:
            raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))
        add(name, keys)

    monkeypatch.setattr(house.instance, "add_dynamic_partitions", overtaken)

    add_partitions(house.instance, ["acme/a.wav", "acme/b.wav", "acme/a.wav"])

    assert house.instance.get_dynamic_partitions("recordings") == ["acme/a.wav", "acme/b.wav"]
