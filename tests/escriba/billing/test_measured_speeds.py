"""How fast backends are: what the ledger tells of it, and when a plan is better."""

import logging
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.billing.measured_speeds import CompletedRun, MeasuredSpeed, measured_of, speed_of
from escriba.billing.quotes import JobSize, Speed
from resources.ledger.recent_speeds import measured_speeds
from resources.ledger.writer import write_rows

KEY = ("runpod", "l4", "demo", True)
PLANNED = Speed(rtf=0.3, start_seconds=20.0, basis="planned")


def job(model="demo", *, diarized=True):
    return JobSize(
        audio_ms=60_000,
        speech_ms=50_000,
        audio_bytes=1,
        model=model,
        language="pt",
        diarized=diarized,
    )


def planned_or_measured(measured, **size):
    return speed_of(job(**size), "runpod", "l4", PLANNED, {KEY: measured})


def test_what_was_measured_of_enough_such_jobs_is_planned_with():
    speed = planned_or_measured(MeasuredSpeed(rtf=0.03123, start_seconds=4.0, jobs=57))

    assert speed == Speed(0.03123, 4.0, "measured: RTF 0.0312 in 57 jobs of 14 days")


@pytest.mark.parametrize(
    ("jobs", "size"), [(4, {}), (57, {"model": "small"}), (57, {"diarized": False})]
)
def test_few_jobs_or_those_of_another_kind_do_not_count(jobs, size):
    assert planned_or_measured(MeasuredSpeed(0.03, 4.0, jobs), **size) == PLANNED


def test_a_start_that_was_a_wait_in_a_queue_counts_twice_the_planned_one_at_most():
    assert planned_or_measured(MeasuredSpeed(0.03, 5_000.0, 57)).start_seconds == 40.0


def test_short_jobs_weigh_as_little_as_they_are_long():
    short = [CompletedRun(KEY, rtf=2.0, audio_seconds=5.0, start_seconds=1.0)] * 6
    long = [CompletedRun(KEY, rtf=0.03, audio_seconds=3600.0, start_seconds=9.0)] * 2

    assert measured_of(short + long) == {KEY: MeasuredSpeed(rtf=0.03, start_seconds=1.0, jobs=8)}


def test_where_nothing_was_done_nothing_is_measured():
    assert measured_of([]) == {}


@given(st.lists(st.tuples(st.floats(0.001, 10), st.floats(0.1, 1e5)), min_size=1))
def test_a_measured_rtf_is_one_that_was_seen_and_half_the_audio_was_no_slower(pairs):
    measured = measured_of([CompletedRun(KEY, rtf, seconds, 0.0) for rtf, seconds in pairs])

    rtf = measured[KEY].rtf
    assert rtf in [seen for seen, _ in pairs]
    whole = sum(seconds for _, seconds in pairs)
    assert sum(s for seen, s in pairs if seen <= rtf) >= whole / 2 * (1 - 1e-9)
    assert sum(s for seen, s in pairs if seen >= rtf) >= whole / 2 * (1 - 1e-9)


def test_the_ledger_tells_speeds_by_backend_sku_model_and_whether_speakers_were_told_apart(
    storage, row, noon
):
    write_rows(
        storage,
        [
            row(1, ran=6),
            row(2, ran=12),
            row(3, ran=6),
            row(4, ran=3, diarizer="none"),
            row(5, ran=30, backend="aws_gpu", sku="g5.xlarge"),
            row(6, ran=30, model="small"),
        ],
    )

    found = measured_speeds(storage, noon - timedelta(days=14))

    assert {key: (one.rtf, one.jobs) for key, one in found.items()} == {
        ("runpod", "l4", "demo", True): (0.1, 3),
        ("runpod", "l4", "demo", False): (0.05, 1),
        ("aws_gpu", "g5.xlarge", "demo", True): (0.5, 1),
        ("runpod", "l4", "small", True): (0.5, 1),
    }
    assert found[KEY].start_seconds == 3.0


def test_what_is_old_or_failed_or_of_an_unknown_diarizer_is_not_measured(storage, row, noon):
    write_rows(
        storage,
        [
            row(1, status="failed", rtf=None),
            row(2, diarizer=""),
            row(3, diarizer=None),
            row(4, started_at=noon - timedelta(days=15)),
            row(5, started_at=noon - timedelta(minutes=1)),  # of the first day, too early
        ],
    )

    assert measured_speeds(storage, noon) == {}


def test_a_damaged_ledger_stops_no_routing(storage, row, noon, caplog):
    [key] = write_rows(storage, [row(1)])
    storage.write(key, b"half")

    with caplog.at_level(logging.WARNING, "escriba"):
        assert measured_speeds(storage, noon - timedelta(days=14)) == {}

    assert key in caplog.text
    assert "planned instead of measured speeds" in caplog.text


def test_an_empty_ledger_measures_nothing(storage, noon):
    assert measured_speeds(storage, noon) == {}
