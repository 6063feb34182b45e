"""What an attempt costs, to the nano-dollar, however it ended."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.billing.attempts import (
    AttemptEnd,
    ledger_row,
    per_audio_hour,
    row_without_job,
)
from pipelines.billing.prices import Price, total
from pipelines.billing.stretches import run_usd

lengths = st.decimals(0, 1_000_000, places=6)
prices = st.decimals(0, 100, places=6)
NEVER = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("priced", "seconds", "cost"),
    [
        # 12.345678 s × 0.00019 USD/s = 0.00234567882
        (("0.00019", "gpu_second"), (12.345678, 60.0), "0.002345679"),
        # 12.345678 s ÷ 3600 × 0.05 USD/h = 0.000171467750
        (("0.05", "machine_hour"), (12.345678, 60.0), "0.000171468"),
        # 61.5 s of audio ÷ 60 × 0.006 USD/min
        (("0.006", "audio_minute"), (3.2, 61.5), "0.006150000"),
        # audio costs nothing where nobody began
        (("0.006", "audio_minute"), (0.0, 61.5), "0"),
        (("0.00019", "gpu_second"), (0.0, 61.5), "0"),
        # a third of an hour: 1/3 USD
        (("1", "machine_hour"), (1200.0, 60.0), "0.333333333"),
        # halves go to the even neighbour: 9.5 and 28.5 nano-dollars
        (("0.00019", "gpu_second"), (0.00005, 60.0), "0.000000010"),
        (("0.00019", "gpu_second"), (0.00015, 60.0), "0.000000028"),
    ],
)
def test_costs_are_what_one_works_out_by_hand(price, noon, priced, seconds, cost):
    ran, audio = seconds

    found = run_usd(price(*priced), noon, run_seconds=ran, audio_seconds=audio)

    assert found == Decimal(cost)


def test_the_row_of_an_attempt_that_is_done(attempt, price, noon):
    row = ledger_row(attempt("done", ran=12.345678), price())

    assert row.attempt_id == f"acme:{'a' * 64}:1"
    assert (row.queue_seconds, row.start_seconds, row.run_seconds) == (2.0, 3.0, 12.345678)
    assert (row.audio_seconds, row.speech_seconds) == (60.0, 45.5)
    assert row.rtf == pytest.approx(12.345678 / 60)
    assert row.usd_per_hour == Decimal("0.684")
    assert row.cost_usd == Decimal("0.002345679")
    assert row.cost_usd_per_audio_hour == Decimal("0.140740740")
    assert row.started_at == noon + timedelta(seconds=3)
    assert row.ended_at == noon + timedelta(seconds=15.345678)


@pytest.mark.parametrize("status", ["failed", "stopped", "lost"])
def test_an_attempt_that_failed_costs_its_seconds_and_has_no_rtf(attempt, price, status):
    row = ledger_row(attempt(status, ran=10), price())

    assert (row.status, row.rtf) == (status, None)
    assert row.cost_usd == Decimal("0.0019")


def test_an_attempt_that_never_began_costs_nothing(attempt, price, noon):
    row = ledger_row(attempt("buried"), price())

    assert (row.cost_usd, row.run_seconds, row.rtf) == (0, 0.0, None)
    assert row.started_at == row.ended_at == noon


def test_an_attempt_that_runs_has_no_row_yet(attempt, price):
    with pytest.raises(ValueError, match="has not ended"):
        ledger_row(attempt(), price())


def test_clocks_that_disagree_make_no_negative_times(attempt, price, noon):
    before = noon - timedelta(minutes=10)
    end = AttemptEnd(status="done", started_at=before, ended_at=before - timedelta(seconds=1))

    row = ledger_row(attempt(end=end), price())

    assert (row.start_seconds, row.run_seconds, row.cost_usd) == (0.0, 0.0, 0)


def test_a_recording_that_needed_no_job_has_a_row_that_costs_nothing(noon):
    row = row_without_job(
        attempt_id="acme:none:1",
        job_id="",
        tenant="acme",
        recording="acme/silence.wav",
        audio_seconds=60.0,
        speech_seconds=0.0,
        now=noon,
    )

    assert (row.status, row.backend, row.cost_usd) == ("none", "none", 0)
    assert row.started_at == row.ended_at == noon


def test_where_there_is_no_audio_an_hour_of_it_has_no_price(attempt, price):
    row = ledger_row(attempt("failed", ran=1, audio_ms=0), price())

    assert row.cost_usd_per_audio_hour is None
    assert per_audio_hour(Decimal("0.006"), 60.0) == Decimal("0.36")


def of(usd, unit):
    return Price("b", "s", unit, usd, NEVER, NEVER, "")


@given(lengths, lengths, prices, st.sampled_from(["gpu_second", "machine_hour", "audio_minute"]))
def test_no_cost_is_negative_or_finer_than_a_nano_dollar(run, audio, usd, unit):
    cost = run_usd(of(usd, unit), NEVER, run_seconds=float(run), audio_seconds=float(audio))

    assert cost >= 0
    assert cost.as_tuple().exponent == -9


@given(st.lists(lengths, max_size=20), prices, st.sampled_from(["gpu_second", "machine_hour"]))
def test_attempts_add_up_to_the_bill_within_half_a_nano_dollar_for_each_day(runs, usd, unit):
    price = of(usd, unit)

    added = total(run_usd(price, NEVER, run_seconds=float(r), audio_seconds=1.0) for r in runs)

    bill = sum(runs, Decimal(0)) * price.usd_per_hour / 3600
    days = sum(int(run // 86_400) + 1 for run in runs)
    assert abs(added - bill) <= days * Decimal("0.0000000005") + Decimal("1e-15")
