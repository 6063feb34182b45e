"""What a worker's life costs beside its jobs: boot and idle, by day and by who carries them.

The same rules as `int_life_days` in dbt_costs: boot from its start until it is ready, as its
first job told it; idle between its jobs, its timeout at most unless it is kept warm, and the
timeout after the last one, unless it died with it; shared by its jobs in proportion to their run.
While a life is open, the timeout is what may still be billed of it. Where two jobs overlap, the
worker is paid once.
"""

from collections.abc import Iterator
from datetime import date, datetime

from .charges import UNALLOCATED, Charge, is_by_audio, nano_of
from .priced_time import Lines, share
from .spells import MICROSECOND, LifePart, Spell

_Days = dict[date, int]
_Job = tuple[Spell, LifePart]


class Life:
    """One worker's life; takes jobs in any order, and those in the order of time quickly."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._jobs: dict[str, _Job] = {}
        self._forget()

    def put(self, id_: str, spell: Spell, part: LifePart) -> None:
        """A job of it; a later word on the same one takes the place of the earlier."""
        is_next = id_ not in self._jobs and self._is_later(spell, part)
        self._jobs[id_] = (spell, part)
        if is_next:
            self._append(spell, part)
            return
        self._forget()
        self._begin(min(self._jobs.values(), key=lambda job: job[1].sequence))
        for job in sorted(self._jobs.values(), key=lambda job: _order(*job)):
            self._append(*job)

    def charges(self) -> Iterator[Charge]:
        """Of each day and tenant; nothing where audio is what is paid."""
        if self._last is None or is_by_audio(self._last[0], self._lines):
            return
        last, part = self._last
        idle = dict(self._idle)
        if not last.died:
            self._add(idle, last, self._busy_until, self._busy_until + part.idle_timeout)
        for days in (self._boot, idle):
            for day, nano in days.items():
                yield from self._shared(day, nano)
        yield from self._paid_twice

    def _is_later(self, spell: Spell, part: LifePart) -> bool:
        if self._newest is None or _order(spell, part) <= self._newest:
            return False
        return part.sequence > self._first

    def _forget(self) -> None:
        self._boot: _Days = {}
        self._idle: _Days = {}
        self._paid_twice: list[Charge] = []  # by jobs that overlap; below zero
        self._shares: list[tuple[str, int]] = []  # jobs of one tenant in a row are one
        self._newest: tuple[datetime, int] | None = None
        self._last: _Job | None = None  # to end

    def _begin(self, job: _Job) -> None:
        first, part = job
        self._first = part.sequence
        self._busy_until = max(part.began_at, part.ready_at)
        self._add(self._boot, first, part.began_at, self._busy_until)

    def _append(self, spell: Spell, part: LifePart) -> None:
        waited_until = spell.started_at
        if not part.is_endless:
            waited_until = min(waited_until, self._busy_until + part.idle_timeout)
        self._add(self._idle, spell, self._busy_until, waited_until)
        if self._newest is None:
            self._busy_until = spell.ended_at
        else:
            self._overlap(spell, min(self._busy_until, spell.ended_at))
            self._busy_until = max(self._busy_until, spell.ended_at)
        if self._last is None or _ended(spell, part) >= _ended(*self._last):
            self._last = (spell, part)
        self._newest = _order(spell, part)
        busy = spell.busy // MICROSECOND
        if self._shares and self._shares[-1][0] == spell.tenant:
            busy += self._shares.pop()[1]
        self._shares.append((spell.tenant, busy))

    def _overlap(self, spell: Spell, until: datetime) -> None:
        days: _Days = {}
        self._add(days, spell, spell.started_at, until)
        self._paid_twice += [Charge(day, spell.tenant, -nano) for day, nano in days.items()]

    def _add(self, days: _Days, spell: Spell, since: datetime, until: datetime) -> None:
        for one in self._lines.cut(spell.backend, spell.sku, since, until):
            nano = nano_of(one.price, one.until - one.since, spell)
            days[one.day] = days.get(one.day, 0) + nano

    def _shared(self, day: date, nano: int) -> Iterator[Charge]:
        whole = sum(busy for _, busy in self._shares)
        if whole <= 0:
            yield Charge(day, UNALLOCATED, nano)
            return
        since = 0
        for tenant, busy in self._shares:
            yield Charge(day, tenant, share(nano, since, since + busy, whole))
            since += busy


def _ended(spell: Spell, part: LifePart) -> tuple[datetime, int]:
    return spell.ended_at, part.sequence


def _order(spell: Spell, part: LifePart) -> tuple[datetime, int]:
    return spell.started_at, part.sequence
