"""What a day may have cost that only its bill will tell: held until it has come.

A worker that was started and never had a job leaves no row in any ledger, and one that was killed
or cut off worked on after its last beat. Neither is counted as spent; a limit must bear both.
"""

import bisect
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from .priced_time import nanodollars
from .prices import NANODOLLAR
from .spells import Spell

_ZERO = Decimal(0)
_DAY = timedelta(days=1)
LONGEST_TAIL = timedelta(hours=1)  # for which a worker that nobody saw boots and waits


@dataclass(frozen=True, slots=True)
class Machines:
    """Of one backend and sku. workers: at once, at most; None: nobody knows."""

    usd_per_second: Decimal
    workers: int | None


class Unseen:
    """Of one day (UTC), backend and sku; takes attempts in any order.

    Those that ended on it, and those of the hour before: what they started may go on into it.
    """

    def __init__(self, day: date) -> None:
        self._midnight = datetime.combine(day, time(), UTC)
        self._jobs: dict[str, Spell] = {}
        self._forget()

    def put(self, id_: str, spell: Spell) -> None:
        """A later word on the same one takes the place of the earlier."""
        if id_ in self._jobs:
            self.remove(id_)
        self._jobs[id_] = spell
        self._add(spell)

    def remove(self, id_: str) -> None:
        """It ended on another day after all."""
        if self._jobs.pop(id_, None) is not None:
            self._forget()
            for spell in self._jobs.values():
                self._add(spell)

    @property
    def lost_usd(self) -> Mapping[str, Decimal]:
        """By tenant: what workers that were given up may have cost beyond their last beat."""
        return self._lost

    def workers_nano(self, machines: Machines, counted_nano: int) -> int:
        """At most, of workers that nobody saw. counted_nano: what is seen of the day.

        A job starts one worker at most, so each job that no start was seen of may have started
        one in vain; and all of them were never more than `workers` at once, while there was a job.
        Nor are the seconds seen that a provider rounds up: one for each life.
        """
        rounding = nanodollars(machines.usd_per_second * len(self._lives))
        in_vain = nanodollars(self._overhead * max(self._count - len(self._lives), 0))
        if machines.workers is None or not in_vain:
            return in_vain + rounding
        paid = sum((until - since for since, until in self._windows), timedelta())
        seconds = Decimal(repr(paid.total_seconds()))
        most = machines.usd_per_second * seconds + self._overhead * len(self._windows)
        return min(in_vain, max(nanodollars(most * machines.workers) - counted_nano, 0)) + rounding

    def _forget(self) -> None:
        self._count, self._overhead = 0, _ZERO
        self._lives: set[str] = set()
        self._windows: list[tuple[datetime, datetime]] = []  # in which there was a job; apart
        self._lost: defaultdict[str, Decimal] = defaultdict(Decimal)

    def _add(self, spell: Spell) -> None:
        if spell.status == "lost":  # a start is in what it had reserved
            rest = max(spell.reserved_usd - spell.run_usd, _ZERO)
            self._lost[spell.tenant] += rest.quantize(NANODOLLAR)
            return
        self._count += 1
        self._overhead = max(self._overhead, spell.overhead_usd)
        if spell.life is not None:
            self._lives.add(spell.life.boot)
        since = max(spell.created_at, self._midnight)
        self._join(since, min(max(spell.ended_at, since), self._midnight + _DAY))

    def _join(self, since: datetime, until: datetime) -> None:
        """A window more; those that it touches become one with it."""
        first = bisect.bisect_left(self._windows, since, key=lambda one: one[1])
        last = bisect.bisect_right(self._windows, until, key=lambda one: one[0])
        touched = self._windows[first:last]
        if touched:
            since, until = min(since, touched[0][0]), max(until, touched[-1][1])
        self._windows[first:last] = [(since, until)]
