"""What a stretch of time costs while prices change, for many stretches at once.

Whole nano-dollars where it is what somebody writes down; floats of nano-dollars, good to a
thousandth of one, where it is the truth that nobody sees.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipelines.billing.prices import UNIT_SECONDS

from .plan import DAY, SECOND, Machine, Plan

Whole: TypeAlias = npt.NDArray[np.int64]
Real: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
_BEYOND_DAYS = 3  # a life of the last day may end later
_NANO = 1_000_000_000


@dataclass(frozen=True)
class Meter:
    """Of one sku. since: when each price begins. nano: of a unit. unit_seconds: of all."""

    since: Whole
    nano: Whole
    unit_seconds: int
    _marks: Real
    _paid: Real

    def nano_at(self, when: Whole) -> Whole:
        """The price of a unit at these moments."""
        places = np.searchsorted(self.since, when, side="right") - 1
        return self.nano[np.maximum(places, 0)]

    def true_nano(self, since: Whole | Real, until: Whole | Real) -> Real:
        """What these stretches cost, each second at its own price."""
        return np.interp(until, self._marks, self._paid) - np.interp(since, self._marks, self._paid)

    def written_nano(self, since: Whole, until: Whole) -> Whole:
        """What the ledger has of runs: each day's part at its price, halves to even.

        Prices change at midnight, and no run is as long as a day.
        """
        midnight = (since // DAY + 1) * DAY
        before = self.priced_nano(np.minimum(until, midnight) - since, since)
        return before + self.priced_nano(np.maximum(until - midnight, 0), midnight)

    def priced_nano(self, micros: Whole, when: Whole) -> Whole:
        """So many microseconds at the price of a moment, halves to even."""
        whole = self.unit_seconds * SECOND
        product = micros * self.nano_at(when)  # < 9.2e18: 5 hours at 0.5 USD/h are 9e18
        quotient, rest = np.divmod(product, whole)
        up = (2 * rest > whole) | ((2 * rest == whole) & (quotient % 2 == 1))
        written: Whole = quotient + up
        return written


def meter(plan: Plan, machine: Machine) -> Meter:
    """The prices of a machine in the time of the plan.

    Raises:
        ValueError: the book has none of them, or one finer than a nano-dollar.
    """
    own = (machine.backend, machine.sku)
    prices = sorted(
        (p for p in plan.prices.prices if (p.backend, p.sku) == own), key=lambda p: p.valid_from
    )
    if not prices or prices[0].valid_from > plan.start:
        raise ValueError(f"the price book has no price of {'/'.join(own)} on {plan.first_day}")
    if any(p.price_usd * _NANO % 1 for p in prices):
        raise ValueError(f"a price of {'/'.join(own)} is finer than a nano-dollar")
    since = np.array(
        [max(0, (p.valid_from - plan.start) // timedelta(microseconds=1)) for p in prices]
    )
    nano = np.array([int(p.price_usd * _NANO) for p in prices])
    unit_seconds = UNIT_SECONDS[prices[0].unit]
    marks = np.append(since, (plan.days + _BEYOND_DAYS) * DAY).astype(np.float64)
    paid = np.concatenate([[0.0], np.cumsum(np.diff(marks) * nano / (unit_seconds * SECOND))])
    return Meter(since, nano, unit_seconds, marks, paid)
