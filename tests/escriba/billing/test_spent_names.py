"""Names below `ledger/spent/` say all that a limit must know, in each version that wrote them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.attempt_times import AttemptTimes, LifeJob
from resources.spending.spent_names import entry_of, job_of, name_of, short_id

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIFE = LifeJob("b" * 36, 123, NOW - 9 * HOUR, NOW - 8 * HOUR, 5 * HOUR)
TIMES = AttemptTimes(
    tenant="t" * 63,
    backend="runpod",
    sku="rtx-6000-ada",
    status="done",
    created_at=NOW - 3 * HOUR,
    started_at=NOW - 2 * HOUR,
    ended_at=NOW,
    run=2 * HOUR,
    run_usd=Decimal("12.345678901"),
    reserved_usd=Decimal("23.456789012"),
    overhead_usd=Decimal("1.234567891"),
    audio=timedelta(hours=20, microseconds=123_457),
    life=LIFE,
)
ATTEMPT = f"{'a' * 64}-1-00"
LIVES = [
    None,
    LIFE,
    replace(LIFE, is_endless=True, is_warm=True),
    replace(LIFE, is_endless=True, idle_timeout=timedelta(0)),
]
SPOT = Decimal("98.765432109")  # USD per hour
# a leased machine, which is not warm and has a timeout
MACHINE = replace(
    LIFE, boot="1234567890123456789", sequence=2**31 - 1, is_endless=True, is_free=True
)


@pytest.mark.parametrize("life", [*LIVES, MACHINE])
def test_a_name_says_all_of_an_attempt_and_fits_into_a_folder(life):
    times = replace(TIMES, life=life)
    name = name_of(ATTEMPT, times, NOW)

    entry = entry_of(name, "2026-11")

    assert (entry.times, entry.id) == (times, short_id(ATTEMPT))
    assert len(name) <= 255


@pytest.mark.parametrize("life", LIVES)
def test_a_name_of_before_audio_and_active_prices_reads_as_it_did(life):
    """It had no audio at its end, and one mark for warm workers and for those without a timeout."""
    times = replace(TIMES, life=life)
    name = name_of(ATTEMPT, times, NOW).rpartition("!")[0].replace("!3!", "!1!")

    assert entry_of(name, "2026-11").times == replace(times, audio=timedelta(0))


def test_attempts_at_one_job_are_known_for_that():
    first, second, other = (short_id(f"{job * 64}-{n}-00") for job, n in ("a1", "a2", "b1"))

    assert first != second
    assert job_of(first) == job_of(second) != job_of(other)


def test_a_name_says_the_spot_price_of_a_machine():
    times = replace(TIMES, life=MACHINE, spot_usd_per_hour=SPOT)
    name = name_of(ATTEMPT, times, NOW)

    assert entry_of(name, "2026-11").times == times
    assert len(name) <= 255
