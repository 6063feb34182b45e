"""Allocation of billed costs other than compute, by the rule of `daily_spend` (SHARED_COSTS_BY)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Literal

from .billed_days import BilledDay
from .cost_count import CostCount
from .priced_time import share
from .run_charges import UNALLOCATED

SharedBy = Literal["apart", "cost", "audio"]
Weights = Mapping[BilledDay, Mapping[str, int]]


def weights_of(tally: CostCount, shared_by: SharedBy) -> Weights:
    """Each tenant's weight by day and backend: nano-dollars, or microseconds of audio."""
    if shared_by == "audio":
        return {BilledDay(*of): by_tenant for of, by_tenant in tally.audio.items()}
    weights: defaultdict[BilledDay, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    if shared_by == "cost":
        for place, nano in tally.nano().items():
            if place.tenant != UNALLOCATED:
                weights[BilledDay(place.day, place.machine.backend)][place.tenant] += nano
    return weights


def at_least(billed: Mapping[str, int], measured: Mapping[str, int]) -> Mapping[str, int]:
    """Nano-dollars by category: billed, or measured if the incomplete bill has less."""
    more = {name: max(nano, billed.get(name, nano)) for name, nano in measured.items()}
    return {**billed, **more}


def allocated_parts(nano: int, weights: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """The parts of an amount by tenant, which add up to it; unallocated without any weight."""
    positive = {tenant: weight for tenant, weight in sorted(weights.items()) if weight > 0}
    whole, since = sum(positive.values()), 0
    if not positive:
        yield UNALLOCATED, nano
    for tenant, weight in positive.items():
        yield tenant, share(nano, since, since + weight, whole)
        since += weight
