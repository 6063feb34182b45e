"""Transcribed audio by day, backend and tenant, counted once per job as in the cost tables."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from .attempt_times import MICROSECOND, AttemptTimes

_WASTED = {"failed", "lost", "buried", "stopped"}


class AudioByDay(Mapping[tuple[date, str], Mapping[str, int]]):
    """Microseconds of audio by the day (UTC) its run began; takes attempts in any order."""

    def __init__(self) -> None:
        self._jobs: defaultdict[tuple[str, str], dict[str, AttemptTimes]] = defaultdict(dict)
        self._micros: defaultdict[tuple[date, str], defaultdict[str, int]] = defaultdict(
            lambda: defaultdict(int)
        )

    def put(self, id_: str, job: str, times: AttemptTimes) -> None:
        """Add an attempt at a job; a later report on an attempt replaces the earlier one."""
        attempts = self._jobs[times.tenant, job]
        self._add(attempts, -1)
        attempts[id_] = times
        self._add(attempts, 1)

    def __getitem__(self, of: tuple[date, str]) -> Mapping[str, int]:
        return self._micros[of]

    def __iter__(self) -> Iterator[tuple[date, str]]:
        return iter(self._micros)

    def __len__(self) -> int:
        return len(self._micros)

    def _add(self, attempts: Mapping[str, AttemptTimes], times: int) -> None:
        for one in _useful(attempts):
            micros = one.audio // MICROSECOND * times
            self._micros[one.started_at.date(), one.backend][one.tenant] += micros


def _useful(attempts: Mapping[str, AttemptTimes]) -> Iterator[AttemptTimes]:
    """The attempts that count: of several done ones only the first to end."""
    done = [(one.ended_at, id_) for id_, one in attempts.items() if one.status == "done"]
    for id_, one in attempts.items():
        is_first = one.status != "done" or (one.ended_at, id_) == min(done)
        if is_first and one.status not in _WASTED:
            yield one
