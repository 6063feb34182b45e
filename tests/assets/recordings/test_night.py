"""The nightly run: one request for all missing recordings, and one digest."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import dagster as dg
import pytest

from assets.costs.attempts_ledger import attempts_ledger
from intake.night import request_failed, request_missing, write_digest
from intake.work_requests import read_requests
from pipelines.definitions import make_definitions


@pytest.fixture
def mixed(house, clips, tmp_path):
    """Three recordings: one done, one permanently failed, one new."""
    (tmp_path / "text").write_text("no audio")
    done, bad = house.put(clips.english, "done.wav"), house.put(tmp_path / "text", "bad.mp3")
    house.run([done, bad])
    return done, bad, house.put(clips.other, "new.wav")


def run_job(house, name, **tags):
    job = make_definitions(house.settings, house.progress()).resolve_job_def(name)
    return job.execute_in_process(instance=house.instance, tags=tags, raise_on_error=False)


def test_a_night_asks_once_for_what_is_missing(house, mixed):
    _, _, new = mixed

    for _ in range(2):
        assert run_job(house, "nightly_job", **{"escriba/night": "2026-11-24"}).success

    [request] = read_requests(house.storage)
    assert (request.id, request.reason) == ("night-2026-11-24", "the night")
    assert request.keys == (new.partition_key,)


def test_a_night_tells_dagster_of_what_it_never_heard_of(house, clips):
    recording = house.put(clips.english, "a.wav")
    house.batch([recording])  # done, but without Dagster

    run_job(house, "nightly_job", **{"escriba/night": "2026-11-24"})

    [request] = read_requests(house.storage)
    assert request.keys == (recording.partition_key,)


def test_where_nothing_is_missing_nothing_is_asked_for(house):
    assert request_missing(house.storage, "2026-11-24", house.survey().work) is None
    assert request_failed(house.storage) is None
    assert list(read_requests(house.storage)) == []


def test_retry_failed_job_asks_for_exactly_what_failed(house, mixed):
    _, bad, _ = mixed

    assert run_job(house, "retry_failed_job").success

    [request] = read_requests(house.storage)
    assert (request.keys, request.retry) == ((bad.partition_key,), True)


def test_a_digest_tells_what_was_done_what_failed_what_waits_and_what_it_cost(house, mixed):
    _, bad, new = mixed

    assert run_job(house, "digest_job", **{"escriba/night": "2026-11-24"}).success

    told = json.loads(house.storage.read("digests/2026-11-24.json"))
    assert (told["done"], told["waiting"], told["oldest_waiting"]) == (1, 1, new.name)
    assert [failure["recording"] for failure in told["failures"]] == [bad.name]
    spent = sum(row["cost_usd"] for row in house.attempts())
    assert Decimal(told["spent_usd"]) == spent > 0
    page = house.storage.read("digests/2026-11-24.md").decode()
    assert "1 done" in page
    assert f"| {bad.name} |" in page
    assert new.name in page


def test_each_digest_begins_where_the_one_before_ended(house, mixed):
    now = datetime.now(UTC)
    first = write_digest(house.settings, house.storage, "2026-11-24", now + timedelta(minutes=1))
    second = write_digest(house.settings, house.storage, "2026-11-25", now + timedelta(days=1))
    again = write_digest(
        house.settings, house.storage, "2026-11-25", now + timedelta(days=1, minutes=5)
    )

    assert (first.done, second.done) == (1, 0)
    assert second.since == again.since == first.until


def test_a_ledger_of_all_attempts_is_built_and_told(house, mixed):
    made = dg.materialize(
        [attempts_ledger], instance=house.instance, resources={"settings": house.settings}
    )

    assert made.success

    event = house.instance.get_latest_materialization_event(dg.AssetKey("attempts_ledger"))
    told = event.asset_materialization.metadata
    assert told["attempts"].value == len(house.attempts()) == 1
    assert told["cost_usd"].value > 0
