"""What the provider bills: lines of an hour or a day, by its own clocks and roundings."""

from dataclasses import dataclass

import numpy as np

from .lives import Jobs, Lives
from .meters import Meter, Real, Whole
from .plan import SECOND, Machine


@dataclass(frozen=True)
class Bill:
    """Nano-dollars by bucket, the how manieth hour or day since the first day of the plan."""

    bucket: Whole
    nano: Whole

    @classmethod
    def of(cls, buckets: Whole, nano: Real) -> "Bill":
        """The sums of stretches."""
        found, places = np.unique(buckets, return_inverse=True)
        sums = np.bincount(places, nano, len(found)) if len(found) else np.empty(0)
        return cls(found, np.rint(sums).astype(np.int64))


def bill_of_lives(machine: Machine, rates: Meter, lives: Lives) -> Bill:
    """Each life cut at the edges of hours or days."""
    first = lives.began // machine.bucket
    last = (lives.paid_until - 1) // machine.bucket
    times = last - first + 1
    life = np.repeat(np.arange(len(first)), times)
    steps = np.arange(len(life)) - np.repeat(np.cumsum(times) - times, times)
    bucket = first[life] + steps
    since = np.maximum(lives.began[life], bucket * machine.bucket)
    until = np.minimum(lives.paid_until[life], (bucket + 1) * machine.bucket)
    return Bill.of(bucket, rates.true_nano(since, until))


def bill_of_minutes(rates: Meter, jobs: Jobs) -> Real:
    """Of an API, for each call: whole seconds of audio; what it refused is not billed."""
    seconds = -(-jobs.work.audio // SECOND)
    billed = np.where(jobs.until > jobs.since, seconds, 0)
    return billed * rates.nano_at(jobs.since) / rates.unit_seconds
