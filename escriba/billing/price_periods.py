"""Time at its price: each second costs what a second cost at that time.

A stretch of time is cut at midnight UTC, as bills and months are, and where its price changes.
Each part is rounded to the nano-dollar, halves to even, and the whole is their sum.
`dbt_costs/macros/pieces.sql` has the same rule in SQL (docs/decisions/0015).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from .price_book import NANODOLLAR, Price, Tariff, total

# longer times are impossible: a clock was set, or a machine slept
LONGEST_BOOT_SECONDS = 3_600
LONGEST_RUN_SECONDS = 86_400
RUN_SLACK_SECONDS = 900  # beyond its limit, which a worker checks only between two batches
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """The part of a stretch on one day (UTC) and at one price."""

    since: datetime
    until: datetime
    price: Price
    usd: Decimal


def priced_parts(rate: Price | Tariff, since: datetime, until: datetime) -> Iterator[PricePeriod]:
    """The parts of a stretch in order; none if `until` is not after `since`."""
    while since < until:
        price = rate.at(since)
        end = min(until, midnight_after(since))
        if since < price.valid_to < end:  # a single Price also applies outside its validity
            end = price.valid_to
        yield PricePeriod(since, end, price, cost_of(price, end - since))
        since = end


def run_usd(
    rate: Price | Tariff,
    started_at: datetime,
    *,
    run_seconds: float,
    audio_seconds: float,
    bought_seconds: float | None = None,
) -> Decimal:
    """The cost of an attempt: its run time, or its audio if audio is what is priced.

    Audio has the price at the time it was sent, however long it takes. bought_seconds: audio that
    the API billed for the attempt. If it is unknown, the whole recording counts, or nothing if the
    attempt never ran. `dbt_costs/macros/audio.sql` has the same rule in SQL.
    """
    price = rate.at(started_at)
    if price.unit == "audio_minute":
        if bought_seconds is None:
            bought_seconds = audio_seconds if run_seconds else 0.0
        return _to_nano(price.cost_usd(Decimal(repr(bought_seconds))))
    until = started_at + timedelta(seconds=run_seconds)
    return total(part.usd for part in priced_parts(rate, started_at, until)).quantize(NANODOLLAR)


def plausible_run_seconds(seconds: float, limit_seconds: float) -> float:
    """The run time limited to what is possible, since a run stops at its limit; at least 0."""
    longest = min(limit_seconds + RUN_SLACK_SECONDS, LONGEST_RUN_SECONDS)
    return min(max(0.0, seconds), longest)


def cost_of(price: Price, length: timedelta) -> Decimal:
    """The cost of a length of time at one price, in whole nano-dollars."""
    return _to_nano(price.cost_usd(Decimal(length // _MICRO) / 1_000_000))


def midnight_after(moment: datetime) -> datetime:
    """The first midnight (UTC) after a moment."""
    day = moment.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(day, time(), UTC)


def _to_nano(usd: Decimal) -> Decimal:
    return usd.quantize(NANODOLLAR, ROUND_HALF_EVEN)
