"""The jobs that the poller knows, and what an answer of /status says of one."""

import bisect
from asyncio import Event
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from resources.gpu.base import Progress, Report

from .answers import code_of, error_of
from .outlook import Outlook

FINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"})
_WAITS, _RUNS = frozenset({"IN_QUEUE"}), frozenset({"IN_PROGRESS", "RUNNING"})
Phase = Literal["waits", "runs", "ended", "unknown"]


@dataclass(slots=True, eq=False)
class Job:
    """One job. Nothing of its request is kept: thousands wait in one process.

    number: in the order in which they were submitted. ours: submitted by this process. turn: of
    its place in the heap. followed: by how many; left_at: since when nobody waits for it.
    quoted_seconds: of its run, 0 where nobody knows.
    """

    id: str
    number: int
    known_since: float
    outlook: Outlook
    ours: bool = False
    quoted_seconds: float = 0.0
    progress: Progress | None = None
    turn: int = 0
    followed: int = 0
    left_at: float = 0.0
    done_ms: int = 0
    phase: Phase = "unknown"
    report: Report | None = None
    told: bool = False
    ended: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one answer says. `done_ms` of `all_ms` of speech, where the worker tells of progress."""

    state: str
    phase: Phase
    report: Report | None = None
    run_seconds: float | None = None
    done_ms: int | None = None
    all_ms: int | None = None

    @property
    def part(self) -> float | None:
        """How much is done, from 0 to 1."""
        if self.done_ms is None or not self.all_ms:
            return None
        return min(self.done_ms / self.all_ms, 1.0)


def sight_of(told: Mapping[str, Any], secret: str) -> Sight:
    """An answer of /status; a state that nobody knows is `unknown`."""
    state = told.get("status")
    if not isinstance(state, str):
        return Sight("", "unknown")
    if state in FINAL:
        said = told.get("error") if state == "FAILED" else None
        report = Report(state, error_of(said, secret), code_of(said))
        seconds = _number(told, "executionTime")
        return Sight(state, "ended", report, seconds / 1000 if seconds else None)
    if state in _WAITS:
        return Sight(state, "waits")
    if state not in _RUNS:
        return Sight(state, "unknown")
    output = told.get("output")
    output = output if isinstance(output, dict) else {}
    done, all_ = _number(output, "audio_seconds_done"), _number(output, "audio_seconds")
    return Sight(
        state,
        "runs",
        done_ms=None if done is None else round(done * 1000),
        all_ms=None if all_ is None else round(all_ * 1000),
    )


def _number(told: Mapping[str, Any], name: str) -> float | None:
    found = told.get(name)
    known = isinstance(found, int | float) and not isinstance(found, bool) and found >= 0
    return float(found) if known else None  # type: ignore[arg-type]


class Queue:
    """Our jobs that wait at RunPod, in the order in which they were submitted."""

    def __init__(self) -> None:
        self._numbers: list[int] = []

    def add(self, number: int) -> None:
        """It waits; once is enough."""
        at = bisect.bisect_left(self._numbers, number)
        if at == len(self._numbers) or self._numbers[at] != number:
            self._numbers.insert(at, number)

    def remove(self, number: int) -> None:
        """It waits no more, or never did."""
        at = bisect.bisect_left(self._numbers, number)
        if at < len(self._numbers) and self._numbers[at] == number:
            del self._numbers[at]

    def ahead(self, number: int) -> int:
        """How many wait before it."""
        return bisect.bisect_left(self._numbers, number)
