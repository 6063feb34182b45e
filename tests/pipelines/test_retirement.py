"""Finished recordings retire from Dagster, come back when asked for, and never pile up."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.recordings.partitions import add_partitions
from cli.runs.progress_bars import OutcomeCollector
from cli.runs.run_recordings import run_batches
from escriba.recordings import from_inbox_key
from escriba.stages import CHAIN
from intake.inbox import survey_inbox
from intake.quarantine import read_refusal, refusal_key, write_refusal
from intake.retirement import unreported
from sensors.inbox import inbox_sensor

MONTH = timedelta(days=31)


def test_what_a_run_is_processing_stays(years):
    [recording] = years.month(0, count=1)
    config = {"ops": {CHAIN: {"config": {"keys": [recording.partition_key]}}}}
    running = dg.DagsterRunStatus.STARTED
    run = dg.DagsterRun(job_name="recordings_job", run_config=config, status=running)
    years.instance.add_run(run)
    years.now += 2 * MONTH

    assert years.retire().partitions == 0
    assert years.alive == {recording.partition_key}


def test_too_many_recordings_retire_early_and_those_that_were_done_first(years):
    first = years.month(0, count=3)
    years.now += timedelta(days=1)
    last = years.month(1, count=3)

    retired = years.retire(few_alive=4)

    assert (retired.partitions, retired.early, retired.alive) == (2, 2, 4)
    assert {one.partition_key for one in last} < years.alive
    assert len(years.alive & {one.partition_key for one in first}) == 1


def test_a_night_does_so_much_and_the_next_one_goes_on(years):
    years.month(0, count=5)
    years.now += 4 * MONTH

    assert [years.retire(most=2).partitions for _ in range(4)] == [2, 2, 1, 0]
    assert [years.delete_runs(most=1).runs for _ in range(3)] == [1, 1, 0]


def test_a_retired_recording_comes_back_by_a_new_upload_and_not_by_itself(years):
    [recording] = years.month(0, count=1)
    years.now += 4 * MONTH
    years.retire()
    years.delete_runs()

    assert unreported(survey_inbox(years.storage), set(), years.now, 30) == []
    cursor = _ticks(years, 3)
    assert years.alive == set()

    years.storage.write(recording.inbox_key, b"another version")
    _ticks(years, 3, cursor)
    assert years.alive == {recording.partition_key}


def _ticks(years, count, cursor=None):
    for _ in range(count):
        context = dg.build_sensor_context(
            instance=years.instance, cursor=cursor, resources={"settings": years.settings}
        )
        cursor = inbox_sensor.evaluate_tick(context).cursor or cursor
    return cursor


def test_a_failed_recording_retires_too_and_comes_back_by_a_retry(years):
    bad = from_inbox_key("inbox/acme/bad.mp3")
    years.storage.write(bad.inbox_key, b"no audio")
    run_batches(years.settings, [bad], OutcomeCollector())
    assert years.alive == {bad.partition_key}
    years.now = datetime.now(UTC) + 2 * MONTH

    assert years.retire().partitions == 1
    assert years.alive == set()
    assert read_refusal(years.storage, refusal_key(bad.inbox_key, "acme")).permanent

    run_batches(years.settings, [bad], OutcomeCollector(), retry=True)
    assert years.alive == {bad.partition_key}


def test_recordings_of_files_that_are_gone_retire_and_never_fill_dagster(years):
    never_done, failed = (from_inbox_key(f"inbox/acme/{name}.wav") for name in ("new", "failed"))
    add_partitions(years.instance, [never_done.partition_key, failed.partition_key])
    for one in (never_done, failed):
        years.storage.write(one.inbox_key, b"sound")
    write_refusal(
        years.storage,
        failed.inbox_key,
        "acme",
        etag=years.storage.head(failed.inbox_key).etag,
        stage="transcript",
        code="backend_down",
        message="No backend.",
        advice="Wait.",
        permanent=False,
    )
    years.now = datetime.now(UTC) + 2 * MONTH
    assert years.retire().partitions == 0

    for one in (never_done, failed):
        years.storage.delete(one.inbox_key)
    assert years.retire().partitions == 2


def test_new_files_wait_while_dagster_has_as_many_recordings_as_it_works_with(years, monkeypatch):
    monkeypatch.setattr("assets.recordings.partitions.MOST_ALIVE", 2)
    for i in range(3):
        years.storage.write(f"inbox/acme/{i}.wav", b"sound")

    cursor = _ticks(years, 3)
    assert len(years.alive) == 2
    waits = (set(map("acme/{}.wav".format, range(3))) - years.alive).pop()

    for key in years.alive:
        years.finish(from_inbox_key(f"inbox/{key}"))
    years.now += 2 * MONTH
    years.retire()
    _ticks(years, 3, cursor)
    assert years.alive == {waits}
