"""What an attempt costs, to the nano-dollar, however it ended."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.billing.attempts import Attempt, AttemptEnd
from escriba.billing.ledger_rows import ledger_row, per_audio_hour, row_without_job
from escriba.billing.price_book import Price, total
from escriba.billing.price_periods import run_usd

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


@pytest.mark.parametrize(
    ("bought", "cost"),
    [
        (None, "0.006150000"),  # nobody noted it: all 61.5 s at 0.006 a minute
        (30.0, "0.003000000"),
        (0.0, "0"),
        (70.0, "0.007000000"),  # a piece was sent again
    ],
)
def test_audio_costs_what_the_attempt_bought(price, noon, bought, cost):
    of = price("0.006", "audio_minute")

    found = run_usd(of, noon, run_seconds=3.2, audio_seconds=61.5, bought_seconds=bought)

    assert found == Decimal(cost)


def test_what_was_bought_in_an_attempt_is_in_its_row(attempt, price):
    """15 s of a minute, at 0.006 a minute."""
    lost = attempt("lost", ran=3.0)
    lost = lost.model_copy(update={"end": lost.end.model_copy(update={"bought_ms": 15_000})})

    row = ledger_row(lost, price("0.006", "audio_minute"))

    assert (row.bought_audio_seconds, row.audio_seconds) == (15.0, 60.0)
    assert row.cost_usd == Decimal("0.0015")


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


def test_the_row_tells_whose_attempt_it_was_and_why_it_failed(attempt, price, noon):
    end = AttemptEnd(
        status="failed",
        error_type="audio_unreadable",
        error="it is torn",
        worker="pod-1",
        started_at=noon,
        ended_at=noon,
    )

    row = ledger_row(attempt(end=end, attempt=2), price())

    assert (row.status, row.error_type, row.worker) == ("failed", "audio_unreadable", "pod-1")
    assert (row.job_id, row.attempt) == ("a" * 64, 2)
    assert (row.tenant, row.recording) == ("acme", "acme/a.mp3")
    assert (row.backend, row.sku, row.model, row.diarizer) == ("runpod", "l4", "demo", "light")
    assert row.queued_at == noon - timedelta(seconds=2)


@pytest.mark.parametrize(
    ("asked", "spoken", "told"), [("pt", "en", "en"), ("pt", "", "pt"), ("", "", None)]
)
def test_the_row_has_the_language_that_was_spoken_or_else_the_one_asked_for(
    attempt, price, asked, spoken, told
):
    end = AttemptEnd(status="done", ended_at=NEVER, language=spoken)

    assert ledger_row(attempt(end=end, language=asked), price()).language == told


@pytest.mark.parametrize(("handed_over", "told"), [(1_000, 1_000), (0, None)])
def test_sizes_that_are_unknown_are_missing_and_not_zero(attempt, price, noon, handed_over, told):
    end = AttemptEnd(status="done", ended_at=noon, segments=7 if handed_over else None)

    row = ledger_row(attempt(end=end, audio_bytes=handed_over), price())

    assert (row.audio_bytes, row.segments) == (told, end.segments)


def test_a_record_from_before_something_was_kept_has_none_of_it(attempt, price):
    later = ("diarizer", "language", "audio_bytes", "quote_usd", "overhead_usd", "idle_seconds")
    told = attempt("done", ran=10).model_dump(exclude={*later, "warm_workers", "route"})

    record = Attempt.model_validate(told)
    row = ledger_row(record, price())

    assert (record.quote_usd, record.overhead_usd) == (0, 0)
    assert (record.idle_seconds, record.warm_workers) == (0, 0)
    assert (row.diarizer, row.language, row.audio_bytes, row.segments) == ("", None, None, None)
    assert (row.status, row.cost_usd) == ("done", Decimal("0.0019"))


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
    assert (row.attempt_id, row.job_id, row.attempt) == ("acme:none:1", "", 0)
    assert (row.tenant, row.recording) == ("acme", "acme/silence.wav")
    assert (row.audio_seconds, row.speech_seconds, row.run_seconds) == (60.0, 0.0, 0.0)
    assert (row.sku, row.model, row.error_type, row.worker) == ("", "", "", "")
    assert (row.queue_seconds, row.start_seconds, row.rtf) == (0.0, 0.0, None)
    assert (row.usd_per_hour, row.cost_usd_per_audio_hour) == (0, 0)
    assert row.queued_at == row.started_at == row.ended_at == noon


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
