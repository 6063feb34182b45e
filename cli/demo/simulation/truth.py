"""The true cost of each recording and each worker life, regardless of the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from .days import MachineDay
from .names import recording_name, session_name
from .plan import SECOND, SimulationPlan
from .rows import usd


@dataclass(frozen=True, slots=True)
class LifeTruth:
    """The true cost and paid time of a worker life with jobs."""

    paid_seconds: float
    usd: Decimal


@dataclass
class Truth:
    """Adds up days. recordings: nano-dollars by name. unused_nano: lives without a job."""

    plan: SimulationPlan
    recordings: dict[str, float] = field(default_factory=dict)
    lives: dict[str, LifeTruth] = field(default_factory=dict)
    unused_nano: float = 0.0

    def add(self, day: int, parts: Iterable[MachineDay]) -> None:
        """Add one day."""
        for number, part in enumerate(parts):
            self.unused_nano += part.unused_nano
            senders = part.jobs.work.sender
            for sender, job, nano in zip(senders, part.job, part.true_nano, strict=True):
                name = recording_name(self.plan, day, number, int(sender), int(job))
                self.recordings[name] = self.recordings.get(name, 0.0) + float(nano)
            self._add_lives(day, number, part)

    def _add_lives(self, day: int, number: int, part: MachineDay) -> None:
        lives = part.lives
        if not lives.with_jobs:
            return
        nano = np.bincount(part.jobs.life, part.true_nano, lives.with_jobs)
        seconds = (lives.paid_until - lives.began) / SECOND
        for life in range(lives.with_jobs):
            name = session_name(self.plan, day, number, life)
            self.lives[name] = LifeTruth(float(seconds[life]), usd(float(nano[life])))

    def recording_usd(self, name: str) -> Decimal:
        """The true cost of a recording."""
        return usd(self.recordings[name])

    @property
    def total_usd(self) -> Decimal:
        """The true total of all machines, lives without a job included."""
        return usd(sum(self.recordings.values()) + self.unused_nano)
