"""The jobs of the poller, and the meaning of a /status answer."""

import bisect
from asyncio import Event
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from resources.gpu.backend import AttemptReport, Progress

from .job_errors import code_of, error_of
from .poll_schedule import PollSchedule

FINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"})
_WAITS, _RUNS = frozenset({"IN_QUEUE"}), frozenset({"IN_PROGRESS", "RUNNING"})
Phase = Literal["waits", "runs", "ended", "unknown"]


@dataclass(slots=True, eq=False)
class Job:
    """One job. Its request is not kept: thousands wait in one process.

    number: in order of submission. ours: submitted by this process. turn: of its newest entry in
    the heap. followed: by how many callers. left_at: since when no caller waits for it.
    quoted_seconds: of its run; 0 if unknown. reported: its report was returned to a caller.
    """

    id: str
    number: int
    known_since: float
    schedule: PollSchedule
    ours: bool = False
    quoted_seconds: float = 0.0
    progress: Progress | None = None
    turn: int = 0
    followed: int = 0
    left_at: float = 0.0
    done_ms: int = 0
    phase: Phase = "unknown"
    report: AttemptReport | None = None
    reported: bool = False
    ended: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class JobObservation:
    """The content of one answer. done_ms of all_ms of speech, if the worker reports progress."""

    state: str
    phase: Phase
    report: AttemptReport | None = None
    run_seconds: float | None = None
    done_ms: int | None = None
    all_ms: int | None = None

    @property
    def part(self) -> float | None:
        """The fraction that is done, from 0 to 1."""
        if self.done_ms is None or not self.all_ms:
            return None
        return min(self.done_ms / self.all_ms, 1.0)


def observation_of(answer: Mapping[str, Any], secret: str) -> JobObservation:
    """The content of a /status answer; an unexpected state has the phase `unknown`."""
    state = answer.get("status")
    if not isinstance(state, str):
        return JobObservation("", "unknown")
    if state in FINAL:
        error = answer.get("error") if state == "FAILED" else None
        report = AttemptReport(state, error_of(error, secret), code_of(error))
        seconds = _number(answer, "executionTime")
        return JobObservation(state, "ended", report, seconds / 1000 if seconds else None)
    if state in _WAITS:
        return JobObservation(state, "waits")
    if state not in _RUNS:
        return JobObservation(state, "unknown")
    output = answer.get("output")
    output = output if isinstance(output, dict) else {}
    done, all_ = _number(output, "audio_seconds_done"), _number(output, "audio_seconds")
    return JobObservation(
        state,
        "runs",
        done_ms=None if done is None else round(done * 1000),
        all_ms=None if all_ is None else round(all_ * 1000),
    )


def _number(answer: Mapping[str, Any], name: str) -> float | None:
    found = answer.get(name)
    known = isinstance(found, int | float) and not isinstance(found, bool) and found >= 0
    return float(found) if known else None  # type: ignore[arg-type]


class Queue:
    """Our jobs that wait at RunPod, in order of submission."""

    def __init__(self) -> None:
        self._numbers: list[int] = []

    def add(self, number: int) -> None:
        """Add a waiting job; idempotent."""
        at = bisect.bisect_left(self._numbers, number)
        if at == len(self._numbers) or self._numbers[at] != number:
            self._numbers.insert(at, number)

    def remove(self, number: int) -> None:
        """Remove a job, if it is there."""
        at = bisect.bisect_left(self._numbers, number)
        if at < len(self._numbers) and self._numbers[at] == number:
            del self._numbers[at]

    def ahead(self, number: int) -> int:
        """How many jobs wait before it."""
        return bisect.bisect_left(self._numbers, number)
