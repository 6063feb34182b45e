"""Simulated bills: lines of an hour or a day, by the provider's own clocks and rounding."""

from dataclasses import dataclass

import numpy as np

from .lives import Jobs, Lives
from .meters import Meter, Real, Whole
from .plan import SECOND, SimulatedMachine


@dataclass(frozen=True)
class SimulatedBill:
    """Nano-dollars by bucket; bucket: number of the hour or day since the plan's first day."""

    bucket: Whole
    nano: Whole

    @classmethod
    def of(cls, buckets: Whole, nano: Real) -> "SimulatedBill":
        """The bill with amounts summed by bucket."""
        found, places = np.unique(buckets, return_inverse=True)
        sums = np.bincount(places, nano, len(found)) if len(found) else np.empty(0)
        return cls(found, np.rint(sums).astype(np.int64))


def bill_of_lives(machine: SimulatedMachine, rates: Meter, lives: Lives) -> SimulatedBill:
    """The bill for worker lives, each cut at the edges of hours or days."""
    first = lives.began // machine.bucket
    last = (lives.paid_until - 1) // machine.bucket
    times = last - first + 1
    life = np.repeat(np.arange(len(first)), times)
    steps = np.arange(len(life)) - np.repeat(np.cumsum(times) - times, times)
    bucket = first[life] + steps
    since = np.maximum(lives.began[life], bucket * machine.bucket)
    until = np.minimum(lives.paid_until[life], (bucket + 1) * machine.bucket)
    return SimulatedBill.of(bucket, rates.true_nano(since, until))


def bill_of_minutes(rates: Meter, jobs: Jobs) -> Real:
    """An API's cost of each call, for whole seconds of audio; refused calls are not billed."""
    seconds = -(-jobs.work.audio // SECOND)
    billed = np.where(jobs.until > jobs.since, seconds, 0)
    return billed * rates.nano_at(jobs.since) / rates.unit_seconds
