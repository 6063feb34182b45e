"""The cost of runs by day, in whole nano-dollars, for spending limits.

The same rules as `int_attempt_charges` in dbt_costs (tests/resources/spending/test_gate.py compares
the sums): each second of a run at its price, cut at midnight, as bills are. worker_charges.py adds
boot and idle time.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .attempt_times import MICROSECOND, AttemptTimes
from .price_book import Price
from .priced_time import PriceLines, cost_nano, nanodollars, share
from .spot_prices import machine_price

UNALLOCATED = "unallocated"  # the tenant of costs that belong to no tenant


class DayCharge(NamedTuple):
    """Nano-dollars of one day (UTC) and tenant; micros: the paid microseconds of a machine."""

    day: date
    tenant: str
    nano: int
    micros: int = 0


def run_charges(times: AttemptTimes, lines: PriceLines) -> Iterator[DayCharge]:
    """The cost of a run by day; audio is charged on the day it was sent, however long it takes."""
    whole, run = times.busy // MICROSECOND, times.run // MICROSECOND
    if whole <= 0 or is_by_audio(times, lines):
        yield DayCharge(times.started_at.date(), times.tenant, nanodollars(times.run_usd))
        return
    for piece in lines.cut(times.backend, times.sku, times.started_at, times.ended_at):
        since, until = ((at - times.started_at) // MICROSECOND for at in (piece.since, piece.until))
        time = share(run, since, until, whole) * MICROSECOND
        nano = nano_at_price(piece.price, time, times)
        yield DayCharge(piece.day, times.tenant, nano, time // MICROSECOND)


def is_by_audio(times: AttemptTimes, lines: PriceLines) -> bool:
    """Whether audio is what is priced; then boot and idle time cost nothing."""
    if times.spot_usd_per_hour is not None:
        return False
    price = lines.at(times.backend, times.sku, times.started_at)
    return price is not None and price.unit == "audio_minute"


def nano_at_price(price: Price | None, time: timedelta, times: AttemptTimes) -> int:
    """The cost of a length of time: at the spot price of its machine's zone, or by the price book.

    At the attempt's recorded price if the book has none.
    """
    if times.spot_usd_per_hour is not None:
        price = machine_price(times.backend, times.sku, times.spot_usd_per_hour)
    if price is not None:
        return cost_nano(price, time)
    run = times.run // MICROSECOND
    return nanodollars(times.run_usd * (time // MICROSECOND) / Decimal(run)) if run else 0
