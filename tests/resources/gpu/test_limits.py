"""How long an attempt may wait and run, and what happens where its addresses would end before."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from escriba.billing.price_book import Price
from escriba.billing.quote_ceiling import with_ceiling
from escriba.billing.quotes import Capabilities, Quote
from escriba.errors import BackendUnavailableError
from resources.gpu.job_orders import AttemptLimits, limits_of

MOST = AttemptLimits(queue_seconds=21_600, run_seconds=7_200)
SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def chosen(run_seconds, *, paid=True, stops=0, idle_seconds=0.0):
    can = Capabilities(paid=paid, third_party=True, idle_seconds=idle_seconds)
    backend = SimpleNamespace(capabilities=can)
    price = Price("runpod", "l4", "gpu_second", Decimal("0.00019"), SINCE, UNTIL, "test")
    quote = Quote("runpod", "l4", Decimal(1), run_seconds, run_seconds + 30.0, "planned")
    ceiling = with_ceiling(quote, price, backend.capabilities, MOST.run_seconds, stops)
    return SimpleNamespace(backend=backend, quote=ceiling)


@pytest.mark.parametrize(
    ("run_seconds", "stops", "limit"),
    [(0, 0, 120), (60, 0, 210), (60, 1, 420), (60, 9, 7_200), (1_000.1, 0, 1_621), (9e9, 0, 7_200)],
)
def test_where_seconds_are_paid_the_run_is_limited_by_what_is_expected_of_it(
    run_seconds, stops, limit
):
    assert limits_of(MOST, chosen(run_seconds, stops=stops), None).run_seconds == limit


def test_a_quote_is_at_most_two_starts_the_longest_run_two_minutes_to_stop_and_idle_time():
    """60 + 5 s, 210 + 120 s, at 0.00019 USD."""
    quote = chosen(60, idle_seconds=5.0).quote

    assert (quote.overhead_usd, quote.most_usd) == (Decimal("0.01235"), Decimal("0.07505"))


def test_the_seconds_of_a_spot_machine_are_reserved_at_its_list_price():
    """A spot price may rise to it: 60 s of start and 330 s at 1 USD an hour, quoted at 0.36."""
    spot = Price(
        *("aws_gpu", "g5.xlarge", "machine_hour", Decimal("0.36"), SINCE, UNTIL, "test"),
        list_price_usd=Decimal(1),
    )
    quote = Quote("aws_gpu", "g5.xlarge", Decimal("0.01"), 60, 90.0, "planned")
    paid = Capabilities(paid=True, third_party=False)

    assert with_ceiling(quote, spot, paid, 7_200).most_usd == Decimal("0.108333334")


def test_what_is_paid_by_the_audio_costs_what_it_is_quoted_at_and_this_machine_nothing():
    api = Price("openai", "whisper-1", "audio_minute", Decimal(1), SINCE, UNTIL, "test")
    quote = Quote("openai", "whisper-1", Decimal(3), 9.0, 9.0, "")
    paid = Capabilities(paid=True, third_party=True)

    assert with_ceiling(quote, api, paid, 7_200).most_usd == 3
    assert chosen(60, paid=False).quote.most_usd is None


def test_where_nobody_pays_a_job_has_all_its_time():
    assert limits_of(MOST, chosen(10, paid=False), None) == MOST


@pytest.mark.parametrize(
    ("life", "queue_seconds"),
    [(timedelta(days=7), 21_600), (timedelta(hours=6), 20_580), (timedelta(minutes=32), 900)],
)
def test_a_credential_that_ends_early_shortens_the_queue(life, queue_seconds):
    """What is left of it, but for a run of 120 s and a margin of 900 s."""
    assert limits_of(MOST, chosen(0), life).queue_seconds == queue_seconds


def test_too_little_of_its_life_is_told_before_anything_is_submitted():
    with pytest.raises(
        BackendUnavailableError, match=r"valid for 31 minutes.*JOB_TIMEOUT"
    ) as caught:
        limits_of(MOST, chosen(0), timedelta(minutes=31))

    assert caught.value.lasting


def test_a_queue_that_is_meant_to_be_short_is_no_fault():
    assert limits_of(AttemptLimits(60, 600), chosen(0), timedelta(minutes=18)).queue_seconds == 60
