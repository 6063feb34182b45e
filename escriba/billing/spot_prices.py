"""Spot prices of a machine's zone, from its provider's history."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from .dated_rows import FOR_EVER
from .price_book import NANODOLLAR, Price, Tariff

_EVER = datetime(1, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def at_spot_price(price: Price | Tariff, usd_per_hour: Decimal | None) -> Price | Tariff:
    """The price of the machine's zone at any time; unchanged if it is unknown."""
    if usd_per_hour is None:
        return price
    line = price.ordered if isinstance(price, Tariff) else price
    return machine_price(line.backend, line.sku, usd_per_hour)


def machine_price(backend: str, sku: str, usd_per_hour: Decimal) -> Price:
    """The price of a machine by the hour, at any time."""
    source = "spot history of its zone"
    return Price(backend, sku, "machine_hour", usd_per_hour, _EVER, FOR_EVER, source)


def mean_between(
    changes: Sequence[tuple[datetime, Decimal]], since: datetime, until: datetime
) -> Decimal | None:
    """The mean price from `since` to `until`, weighted by time, in whole nano-dollars.

    changes: when the price became this. The first one is taken as valid before, too. None if there
    are none.
    """
    if not changes:
        return None
    in_order = sorted(changes)
    until = max(until, since + _MICRO)
    begins = [since, *(when for when, _ in in_order[1:])]
    ends = [*begins[1:], until]
    spans = [
        (max((min(end, until) - max(begin, since)) // _MICRO, 0), usd)
        for begin, end, (_, usd) in zip(begins, ends, in_order, strict=True)
    ]
    whole = sum(micros for micros, _ in spans)
    weighted = sum((micros * usd for micros, usd in spans), Decimal(0))
    return (weighted / whole).quantize(NANODOLLAR, ROUND_HALF_EVEN)
