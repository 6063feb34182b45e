"""Whether EC2 has machines for a queue, by how long its jobs wait for one.

The queue itself forgets: once a job that waited in vain is cancelled, an empty queue looks well,
and the router would choose it for the same job again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from .job_states import phase_of

# a spot machine takes some four minutes to start; a job that waits for longer finds none
LONG_SECONDS = 600.0
REMEMBERED_SECONDS = 1_800.0  # after that, a job may try again
_NO_CAPACITY = "CAPACITY:"


class CapacityWatch:
    """What the jobs of this process have met. clock: of this process, not of AWS."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[str, float] = {}  # since when
        self._short_at: float | None = None

    def note(self, jobs: Mapping[str, Mapping[str, Any]]) -> None:
        """Note the jobs, as DescribeJobs tells of them."""
        now = self._clock()
        for id_, job in jobs.items():
            if phase_of(job) == "waits":
                if now - self._waiting.setdefault(id_, now) >= LONG_SECONDS:
                    self._short_at = now
            elif self._waiting.pop(id_, None) is not None and phase_of(job) == "runs":
                self._short_at = None  # it has just got a machine
            elif str(job.get("statusReason") or "").startswith(_NO_CAPACITY):
                self._short_at = now

    @property
    def is_short(self) -> bool:
        """Whether a job has lately waited in vain, and none has got a machine since."""
        short_at = self._short_at
        return short_at is not None and self._clock() - short_at < REMEMBERED_SECONDS
