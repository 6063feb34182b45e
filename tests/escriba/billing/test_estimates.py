"""What recordings would cost and take, here and elsewhere."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.billing.estimates import Candidate, estimate, on_runpod_l4, planned_candidate
from escriba.billing.price_book import Price, PriceBook, PriceBookError
from escriba.billing.quotes import JobSize, Speed, audio_quote, machine_quote

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_hour_on_an_l4_takes_a_fifth_of_an_hour(book):
    # 720 s × 0.00019 USD/s
    assert on_runpod_l4(book, 3600.0, NOW, diarized=False) == Decimal("0.1368")


def test_speakers_take_a_tenth_more(book):
    # 1080 s × 0.00019 USD/s
    assert on_runpod_l4(book, 3600.0, NOW, diarized=True) == Decimal("0.2052")


def test_no_audio_costs_nothing(book):
    assert on_runpod_l4(book, 0.0, NOW, diarized=True) == 0


def test_without_a_price_there_is_no_estimate():
    with pytest.raises(PriceBookError, match="runpod/l4"):
        on_runpod_l4(PriceBook(()), 60.0, NOW, diarized=False)


def test_the_shipped_book_prices_the_estimate(shipped_book):
    assert on_runpod_l4(shipped_book, 3600.0, NOW, diarized=False) == Decimal("0.1368")


def job(seconds=3600.0, *, diarized=False):
    return JobSize(
        audio_ms=round(seconds * 1000),
        speech_ms=0,
        audio_bytes=0,
        model="demo",
        language="pt",
        diarized=diarized,
    )


def at(price, rtf=0.1, start=60.0, workers=2, quote=machine_quote):
    return Candidate(price, lambda _job: Speed(rtf, start, "measured"), quote, workers)


def test_each_worker_starts_once_and_not_with_every_job(price):
    # 10 jobs of 360 s and 2 starts of 60 s, at 1 USD an hour
    found = estimate([job()] * 10, at(price("1", "machine_hour")))

    assert found.machine_seconds == pytest.approx(3720.0)
    assert found.cost_usd == pytest.approx(Decimal("1.033333334"), abs=Decimal("0.00000001"))
    assert found.usd_per_audio_hour == pytest.approx(Decimal("0.103333333"), abs=Decimal("1e-8"))
    assert found.wall_seconds == pytest.approx(60 + 5 * 360)
    assert (found.jobs, found.workers, found.basis) == (10, 2, "measured")


def test_more_workers_than_jobs_are_not_started(price):
    found = estimate([job()], at(price("1", "machine_hour"), workers=50))

    assert found.workers == 1
    assert found.machine_seconds == pytest.approx(420.0)


def test_the_longest_job_decides_where_workers_abound(price):
    found = estimate([job(60), job(36_000), job(60)], at(price(), workers=3))

    assert found.wall_seconds == pytest.approx(60 + 3600)


def test_audio_that_is_priced_by_its_length_has_no_machine_and_no_start(price):
    found = estimate([job()] * 3, at(price("0.006", "audio_minute"), quote=audio_quote))

    assert found.cost_usd == Decimal("1.08")
    assert found.usd_per_audio_hour == Decimal("0.36")
    assert found.machine_seconds is None


def test_an_estimate_of_nothing_is_nothing(price):
    found = estimate([], at(price()))

    assert (found.jobs, found.cost_usd, found.wall_seconds, found.workers) == (0, 0, 0, 0)
    assert found.usd_per_audio_hour is None


@pytest.mark.parametrize(
    ("backend", "unit", "rtf"),
    [("runpod", "gpu_second", 0.3), ("aws_gpu", "machine_hour", 0.3), ("local", "gpu_second", 0.5)],
)
def test_a_line_of_the_book_is_planned_with_speakers_told_apart(price, backend, unit, rtf):
    where = planned_candidate(price("0.1", unit, backend=backend), workers=1)

    assert where.speed(job(diarized=True)).rtf == rtf
    assert estimate([job(diarized=True)], where).basis == f"planned: RTF {rtf}"


def test_every_line_of_the_shipped_book_can_be_estimated(shipped_book):
    for line in shipped_book.prices:
        found = estimate([job()] * 2, planned_candidate(line, workers=3))
        assert found.cost_usd > 0, line


@given(st.lists(st.floats(1, 1e5), min_size=1, max_size=30), st.integers(1, 12))
def test_the_wall_time_is_between_the_ideal_and_one_job_more(lengths, workers):
    price = Price("b", "s", "gpu_second", Decimal("0.001"), NOW, NOW, "")
    found = estimate([job(seconds) for seconds in lengths], at(price, 0.1, 0.0, workers))

    runs = [round(seconds * 1000) / 1000 * 0.1 for seconds in lengths]
    ideal = max(*runs, sum(runs) / workers)
    assert ideal - 1e-6 <= found.wall_seconds <= sum(runs) / workers + max(runs) + 1e-6
