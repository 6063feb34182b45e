"""Possible costs of a day that only its bill will show, held until the bill arrives.

A worker that never got a job leaves no ledger row, and a worker that was killed or cut off worked
on after its last heartbeat. Neither counts as spent, but limits must allow for both.
"""

import bisect
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from .attempt_times import AttemptTimes
from .price_book import NANODOLLAR
from .priced_time import nanodollars

_ZERO = Decimal(0)
_DAY = timedelta(days=1)
LONGEST_TAIL = timedelta(hours=1)  # in which a worker without a ledger row boots and waits


@dataclass(frozen=True, slots=True)
class WorkerPrice:
    """A backend's price, and its maximum of concurrent workers; None: unknown."""

    usd_per_second: Decimal
    workers: int | None


class UnmeasuredTime:
    """Unmeasured time of one day (UTC), backend and sku; takes attempts in any order.

    It takes attempts that ended on the day or in the hour before, since their workers may run on.
    """

    def __init__(self, day: date) -> None:
        self._midnight = datetime.combine(day, time(), UTC)
        self._jobs: dict[str, AttemptTimes] = {}
        self._forget()

    def put(self, id_: str, times: AttemptTimes) -> None:
        """Add an attempt; a later report on an attempt replaces the earlier one."""
        if id_ in self._jobs:
            self.remove(id_)
        self._jobs[id_] = times
        self._add(times)

    def remove(self, id_: str) -> None:
        """Remove an attempt that ended on another day after all."""
        if self._jobs.pop(id_, None) is not None:
            self._forget()
            for times in self._jobs.values():
                self._add(times)

    @property
    def lost_usd(self) -> Mapping[str, Decimal]:
        """By tenant: what lost workers may have cost after their last heartbeat."""
        return self._lost

    def workers_nano(self, machines: WorkerPrice, counted_nano: int) -> int:
        """The maximum cost of workers without a ledger row, in nano-dollars.

        counted_nano: the measured cost of the day. A job starts at most one worker, so each job
        without a recorded start may have started one for nothing. Together they were never more
        than `workers` at a time, while there were jobs. One second per worker life is added,
        because providers round up.
        """
        rounding = nanodollars(machines.usd_per_second * len(self._lives))
        useless = nanodollars(self._overhead * max(self._count - len(self._lives), 0))
        if machines.workers is None or not useless:
            return useless + rounding
        paid = sum((until - since for since, until in self._windows), timedelta())
        seconds = Decimal(repr(paid.total_seconds()))
        most = machines.usd_per_second * seconds + self._overhead * len(self._windows)
        return min(useless, max(nanodollars(most * machines.workers) - counted_nano, 0)) + rounding

    def _forget(self) -> None:
        self._count, self._overhead = 0, _ZERO
        self._lives: set[str] = set()
        self._windows: list[tuple[datetime, datetime]] = []  # with a job; disjoint
        self._lost: defaultdict[str, Decimal] = defaultdict(Decimal)

    def _add(self, times: AttemptTimes) -> None:
        if times.status == "lost":  # its reservation includes its start
            rest = max(times.reserved_usd - times.run_usd, _ZERO)
            self._lost[times.tenant] += rest.quantize(NANODOLLAR)
            return
        self._count += 1
        self._overhead = max(self._overhead, times.overhead_usd)
        if times.life is not None:
            self._lives.add(times.life.boot)
        since = max(times.created_at, self._midnight)
        self._join(since, min(max(times.ended_at, since), self._midnight + _DAY))

    def _join(self, since: datetime, until: datetime) -> None:
        """Add a window, and merge it with those that it touches."""
        first = bisect.bisect_left(self._windows, since, key=lambda one: one[1])
        last = bisect.bisect_right(self._windows, until, key=lambda one: one[0])
        touched = self._windows[first:last]
        if touched:
            since, until = min(since, touched[0][0]), max(until, touched[-1][1])
        self._windows[first:last] = [(since, until)]
