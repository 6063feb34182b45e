"""What leased machines cost beside the machine: their disk and their public address.

The price book has them as lines with `add_on`. Each is due for all paid time of the backend's
machines, also for a machine that EC2 takes back in its first hour. The same rule as
`int_add_on_days` in dbt_costs: the paid time of a day at its price, rounded once.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time

from .attempt_times import MICROSECOND
from .billed_days import BilledDay
from .price_book import Price
from .priced_time import cost_nano


def add_on_nano(add_ons: Iterable[Price], of: BilledDay, micros: int) -> Mapping[str, int]:
    """Nano-dollars by category of the bill, for the paid microseconds of a day and backend."""
    midnight = datetime.combine(of.day, time(), UTC)  # prices change at midnight
    found: dict[str, int] = {}
    for one in add_ons:
        if one.backend == of.backend and one.valid_from <= midnight < one.valid_to and micros > 0:
            found[one.add_on] = found.get(one.add_on, 0) + cost_nano(one, micros * MICROSECOND)
    return found
