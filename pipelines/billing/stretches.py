"""The one rule of prices: each second costs what a second cost then.

A stretch of time is cut at midnight UTC, which is where bills and months are cut, and where its
price changes. Each part is rounded to the nano-dollar, halves to even, and the whole is their
sum. `dbt_costs/macros/days.sql` is the same rule in SQL (docs/decisions/0015).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from .prices import NANODOLLAR, Price, Tariff, total

# what cannot be: a clock was set, or a machine slept. Such a stretch costs nothing, and is told of
LONGEST_BOOT_SECONDS = 3_600
LONGEST_RUN_SECONDS = 86_400
RUN_SLACK_SECONDS = 900  # beyond its limit: a worker looks at it between two batches
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a stretch lies on one day (UTC), and has one price."""

    since: datetime
    until: datetime
    price: Price
    usd: Decimal


def parts_of(rate: Price | Tariff, since: datetime, until: datetime) -> Iterator[Part]:
    """In order; nothing where `until` is not after `since`."""
    while since < until:
        price = rate.at(since)
        end = min(until, midnight_after(since))
        if since < price.valid_to < end:  # a price alone may be asked for any time
            end = price.valid_to
        yield Part(since, end, price, cost_of(price, end - since))
        since = end


def run_usd(
    rate: Price | Tariff, started_at: datetime, *, run_seconds: float, audio_seconds: float
) -> Decimal:
    """What an attempt cost: the time it ran, or its audio where that is what is priced.

    Audio has the price of the moment at which it was sent, however long it takes; where nothing
    ever ran, nothing was billed.
    """
    price = rate.at(started_at)
    if price.unit == "audio_minute":
        return _to_nano(price.cost_usd(Decimal(repr(audio_seconds if run_seconds else 0.0))))
    until = started_at + timedelta(seconds=run_seconds)
    return total(part.usd for part in parts_of(rate, started_at, until)).quantize(NANODOLLAR)


def believed_run_seconds(seconds: float, limit_seconds: float) -> float:
    """As long as a run may be, which is stopped at its limit; 0 where clocks say less than 0."""
    longest = min(limit_seconds + RUN_SLACK_SECONDS, LONGEST_RUN_SECONDS)
    return min(max(0.0, seconds), longest)


def cost_of(price: Price, length: timedelta) -> Decimal:
    """So much time at one price, in whole nano-dollars."""
    return _to_nano(price.cost_usd(Decimal(length // _MICRO) / 1_000_000))


def midnight_after(moment: datetime) -> datetime:
    """The first one (UTC) that is later."""
    day = moment.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(day, time(), UTC)


def _to_nano(usd: Decimal) -> Decimal:
    return usd.quantize(NANODOLLAR, ROUND_HALF_EVEN)
