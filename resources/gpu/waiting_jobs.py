"""The jobs of a run that wait for a backend or a worker, and why."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Jobs that wait for the same reason. longest_seconds: of the one that waits longest."""

    reason: str
    jobs: int
    longest_seconds: float


@dataclass
class WaitingJobs:
    """Used from one event loop. clock: in seconds, never set back."""

    clock: Callable[[], float] = time.monotonic
    _since: dict[object, tuple[float, str]] = field(default_factory=dict)

    def wait(self, job: object, reason: str) -> None:
        """A job waits; its time counts from the first call, whatever the reasons since."""
        began, _ = self._since.get(job, (self.clock(), ""))
        self._since[job] = (began, reason)

    def go_on(self, job: object) -> None:
        """A job does not wait, or no longer."""
        self._since.pop(job, None)

    @property
    def count(self) -> int:
        """How many wait now, whatever for."""
        return len(self._since)

    @contextmanager
    def waiting(self, job: object) -> Iterator[None]:
        """Whatever ends the block, the job no longer waits."""
        try:
            yield
        finally:
            self.go_on(job)

    def groups(self, at_least_seconds: float) -> list[WaitingGroup]:
        """What has waited for so long, by reason, the largest group first."""
        now, found = self.clock(), dict[str, list[float]]()
        for began, reason in self._since.values():
            if now - began >= at_least_seconds:
                found.setdefault(reason, []).append(now - began)
        groups = [WaitingGroup(why, len(each), max(each)) for why, each in found.items()]
        return sorted(groups, key=lambda group: (-group.jobs, group.reason))
