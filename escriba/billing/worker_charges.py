"""Boot and idle costs of a worker's life, by day and tenant.

The same rules as `int_life_days` in dbt_costs. Boot: from the worker's start until it is ready, as
reported by its first job. Idle: between jobs, at most the timeout unless the worker is kept warm,
and the timeout after the last job unless the worker died with it; a warm worker has the active
price. Jobs share both in proportion to their run. While a life is open, the timeout is what may
still be billed. Overlapping jobs pay the worker once. A machine that its provider took back within
its first hour is free: what its runs cost is deducted. Its time is counted for its add-ons.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from .attempt_times import MICROSECOND, AttemptTimes, LifeJob
from .priced_time import PriceLines, share
from .run_charges import UNALLOCATED, DayCharge, is_by_audio, nano_at_price, run_charges


class _Paid(NamedTuple):
    nano: int = 0
    micros: int = 0


_Days = dict[date, _Paid]
_Job = tuple[AttemptTimes, LifeJob]


class WorkerLife:
    """One worker's life; takes jobs in any order, fastest in order of time."""

    def __init__(self, lines: PriceLines) -> None:
        self._lines = lines
        self._jobs: dict[str, _Job] = {}
        self._forget()

    def put(self, id_: str, times: AttemptTimes, part: LifeJob) -> None:
        """Add a job; a later report on a job replaces the earlier one."""
        is_next = id_ not in self._jobs and self._is_later(times, part)
        self._jobs[id_] = (times, part)
        if is_next:
            self._append(times, part)
            return
        self._forget()
        self._begin(min(self._jobs.values(), key=lambda job: job[1].sequence))
        for job in sorted(self._jobs.values(), key=lambda job: _order(*job)):
            self._append(*job)

    def charges(self) -> Iterator[DayCharge]:
        """Charges by day and tenant; none if audio is what is priced."""
        if self._last is None or self._before is None:
            return
        (died, _), (last, part) = self._last, self._before
        if is_by_audio(last, self._lines):
            return
        idle = dict(self._idle)
        if not died.died:
            self._wait(idle, last, part, self._busy_until + part.idle_timeout)
        yield from self._free() if self._is_free() else self._paid(idle)
        for days in (self._boot, idle):
            for day, paid in days.items():
                yield DayCharge(day, UNALLOCATED, 0, paid.micros)
        for charge in self._paid_twice:
            yield charge._replace(nano=0)

    def _is_free(self) -> bool:
        return any(part.is_free for _, part in self._jobs.values())

    def _free(self) -> Iterator[DayCharge]:
        for times, _ in self._jobs.values():
            for charge in run_charges(times, self._lines):
                yield charge._replace(nano=-charge.nano, micros=0)

    def _paid(self, idle: _Days) -> Iterator[DayCharge]:
        for days in (self._boot, idle):
            for day, paid in days.items():
                yield from self._shared(day, paid.nano)
        for charge in self._paid_twice:
            yield charge._replace(micros=0)

    def _is_later(self, times: AttemptTimes, part: LifeJob) -> bool:
        if self._newest is None or _order(times, part) <= self._newest:
            return False
        return part.sequence > self._first

    def _forget(self) -> None:
        self._boot: _Days = {}
        self._idle: _Days = {}
        self._paid_twice: list[DayCharge] = []  # by overlapping jobs; negative
        self._shares: list[tuple[str, int]] = []  # consecutive jobs of one tenant are merged
        self._newest: tuple[datetime, int] | None = None
        self._last: _Job | None = None  # the last to end
        self._before: _Job | None = None  # the last to begin: its timeout holds until the next

    def _begin(self, job: _Job) -> None:
        first, part = job
        self._first = part.sequence
        self._busy_until = max(part.began_at, part.ready_at)
        self._add(self._boot, first, part.began_at, self._busy_until)

    def _append(self, times: AttemptTimes, part: LifeJob) -> None:
        before, its_part = self._before or (times, part)
        waited_until = times.started_at
        if not its_part.is_endless:
            waited_until = min(waited_until, self._busy_until + its_part.idle_timeout)
        self._wait(self._idle, before, its_part, waited_until)
        if self._newest is None:
            self._busy_until = times.ended_at
        else:
            self._overlap(times, min(self._busy_until, times.ended_at))
            self._busy_until = max(self._busy_until, times.ended_at)
        if self._last is None or _ended(times, part) >= _ended(*self._last):
            self._last = (times, part)
        self._before = (times, part)
        self._newest = _order(times, part)
        busy = times.busy // MICROSECOND
        if self._shares and self._shares[-1][0] == times.tenant:
            busy += self._shares.pop()[1]
        self._shares.append((times.tenant, busy))

    def _overlap(self, times: AttemptTimes, until: datetime) -> None:
        days: _Days = {}
        self._add(days, times, times.started_at, until)
        self._paid_twice += [
            DayCharge(day, times.tenant, -paid.nano, -paid.micros) for day, paid in days.items()
        ]

    def _wait(self, days: _Days, times: AttemptTimes, part: LifeJob, until: datetime) -> None:
        self._add(days, times, self._busy_until, until, is_warm=part.is_warm)

    def _add(
        self,
        days: _Days,
        times: AttemptTimes,
        since: datetime,
        until: datetime,
        *,
        is_warm: bool = False,
    ) -> None:
        for one in self._lines.cut(times.backend, times.sku, since, until):
            price = one.price.active if one.price is not None and is_warm else one.price
            nano = nano_at_price(price, one.until - one.since, times)
            before = days.get(one.day, _Paid())
            micros = (one.until - one.since) // MICROSECOND
            days[one.day] = _Paid(before.nano + nano, before.micros + micros)

    def _shared(self, day: date, nano: int) -> Iterator[DayCharge]:
        whole = sum(busy for _, busy in self._shares)
        if whole <= 0:
            yield DayCharge(day, UNALLOCATED, nano)
            return
        since = 0
        for tenant, busy in self._shares:
            yield DayCharge(day, tenant, share(nano, since, since + busy, whole))
            since += busy


def _ended(times: AttemptTimes, part: LifeJob) -> tuple[datetime, int]:
    return times.ended_at, part.sequence


def _order(times: AttemptTimes, part: LifeJob) -> tuple[datetime, int]:
    return times.started_at, part.sequence
