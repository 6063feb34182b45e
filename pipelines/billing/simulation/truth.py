"""What really happened: what each recording cost, and each life, whatever the ledger says."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from .days import Part
from .names import recording_name, session_name
from .plan import SECOND, Plan
from .rows import usd


@dataclass(frozen=True, slots=True)
class LifeTruth:
    """Of a worker with jobs: what was paid for it, and for how long."""

    paid_seconds: float
    usd: Decimal


@dataclass
class Truth:
    """Adds up days. recordings: by name; nano-dollars. nobody: lives without a job."""

    plan: Plan
    recordings: dict[str, float] = field(default_factory=dict)
    lives: dict[str, LifeTruth] = field(default_factory=dict)
    nobody_nano: float = 0.0

    def add(self, day: int, parts: Iterable[Part]) -> None:
        """What one day brought."""
        for number, part in enumerate(parts):
            self.nobody_nano += part.nobody_nano
            senders = part.jobs.work.sender
            for sender, job, nano in zip(senders, part.job, part.true_nano, strict=True):
                name = recording_name(self.plan, day, number, int(sender), int(job))
                self.recordings[name] = self.recordings.get(name, 0.0) + float(nano)
            self._add_lives(day, number, part)

    def _add_lives(self, day: int, number: int, part: Part) -> None:
        lives = part.lives
        if not lives.with_jobs:
            return
        nano = np.bincount(part.jobs.life, part.true_nano, lives.with_jobs)
        seconds = (lives.paid_until - lives.began) / SECOND
        for life in range(lives.with_jobs):
            name = session_name(self.plan, day, number, life)
            self.lives[name] = LifeTruth(float(seconds[life]), usd(float(nano[life])))

    def recording_usd(self, name: str) -> Decimal:
        """What one really cost."""
        return usd(self.recordings[name])

    @property
    def total_usd(self) -> Decimal:
        """Of all machines, with what no job had."""
        return usd(sum(self.recordings.values()) + self.nobody_nano)
