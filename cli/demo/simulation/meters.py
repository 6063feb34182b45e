"""The cost of many stretches of time while prices change.

Recorded costs are whole nano-dollars; true costs are nano-dollars as floats, accurate to a
thousandth of one.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from escriba.billing.price_book import UNIT_SECONDS

from .plan import DAY, SECOND, SimulatedMachine, SimulationPlan

Whole: TypeAlias = npt.NDArray[np.int64]
Real: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
_BEYOND_DAYS = 3  # a life of the last day may end later
_NANO = 1_000_000_000


@dataclass(frozen=True)
class Meter:
    """The prices of one sku. since: when each begins. nano: per unit. unit_seconds: of a unit."""

    since: Whole
    nano: Whole
    unit_seconds: int
    _marks: Real
    _paid: Real

    def nano_at(self, when: Whole) -> Whole:
        """The price of a unit at these times."""
        places = np.searchsorted(self.since, when, side="right") - 1
        return self.nano[np.maximum(places, 0)]

    def true_nano(self, since: Whole | Real, until: Whole | Real) -> Real:
        """The true cost of these stretches, each second at its own price."""
        return np.interp(until, self._marks, self._paid) - np.interp(since, self._marks, self._paid)

    def written_nano(self, since: Whole, until: Whole) -> Whole:
        """The cost of runs as the ledger has it: each day's part at its price, halves to even.

        Prices change at midnight, and no run is as long as a day.
        """
        midnight = (since // DAY + 1) * DAY
        before = self.priced_nano(np.minimum(until, midnight) - since, since)
        return before + self.priced_nano(np.maximum(until - midnight, 0), midnight)

    def priced_nano(self, micros: Whole, when: Whole) -> Whole:
        """The cost of microseconds at the price of `when`, halves to even."""
        whole = self.unit_seconds * SECOND
        product = micros * self.nano_at(when)  # < 9.2e18: 5 hours at 0.5 USD/h are 9e18
        quotient, rest = np.divmod(product, whole)
        up = (2 * rest > whole) | ((2 * rest == whole) & (quotient % 2 == 1))
        written: Whole = quotient + up
        return written


def meter(plan: SimulationPlan, machine: SimulatedMachine) -> Meter:
    """The prices of a machine during the plan.

    Raises:
        ValueError: the price book has none, or one finer than a nano-dollar.
    """
    own = (machine.backend, machine.sku)
    prices = sorted(
        (p for p in plan.prices.prices if (p.backend, p.sku) == own), key=lambda p: p.valid_from
    )
    if not prices or prices[0].valid_from > plan.start:
        raise ValueError(f"the price book has no price for {'/'.join(own)} on {plan.first_day}")
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
