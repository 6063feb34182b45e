"""Measured cost by day, backend and tenant, updated as attempts end."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar

from .add_ons import add_on_nano
from .attempt_times import AttemptTimes
from .billed_days import BilledDay
from .price_book import PriceBook
from .priced_time import PriceLines, nanodollars
from .run_charges import DayCharge, run_charges
from .transcribed_audio import AudioByDay
from .unmeasured_time import LONGEST_TAIL, UnmeasuredTime
from .worker_charges import WorkerLife

Name = TypeVar("Name", str, tuple[str, str])
_UNKNOWN = ("", "")  # an entry of an earlier version, which recorded only the amount


class PaidMachine(NamedTuple):
    """What was paid for. Both fields are empty for an entry of an earlier version."""

    backend: str
    sku: str


class PaidPlace(NamedTuple):
    """The day, machine and tenant of a cost."""

    day: date
    machine: PaidMachine
    tenant: str


_Charge = tuple[PaidPlace, DayCharge]


class CostCount:
    """Adds up attempts in any order; a later report on an attempt replaces the earlier one."""

    def __init__(self, prices: PriceBook) -> None:
        self.lines = PriceLines(prices)
        self.audio = AudioByDay()
        self.unmeasured: dict[tuple[date, PaidMachine], UnmeasuredTime] = {}
        self._attempts: dict[str, AttemptTimes] = {}
        self._add_ons = prices.add_ons
        self._nano: defaultdict[PaidPlace, int] = defaultdict(int)
        self._micros: defaultdict[BilledDay, int] = defaultdict(int)  # paid time of machines
        self._runs: dict[str, list[_Charge]] = {}
        self._lives: dict[tuple[str, str], WorkerLife] = {}
        self._life_charges: dict[tuple[str, str], list[_Charge]] = {}
        self._changed: dict[tuple[str, str], PaidMachine] = {}

    def put(self, id_: str, times: AttemptTimes, job: str) -> None:
        """Add an ended attempt; job: any id of the job that it belongs to."""
        before = self._attempts.get(id_)
        if before == times:
            return
        machine = PaidMachine(times.backend, times.sku)
        self._attempts[id_] = times
        self._replace(self._runs, id_, machine, run_charges(times, self.lines))
        if times.life is not None:
            name = (times.backend, times.life.boot)
            self._lives.setdefault(name, WorkerLife(self.lines)).put(id_, times, times.life)
            self._changed[name] = machine
        self.audio.put(id_, job, times)
        for unmeasured in self._unmeasured_days(before) if before is not None else ():
            unmeasured.remove(id_)
        for unmeasured in self._unmeasured_days(times):
            unmeasured.put(id_, times)

    def put_run_cost(self, id_: str, at: datetime, tenant: str, usd: Decimal) -> None:
        """Add an attempt that an earlier version recorded: only the cost of its run is known."""
        if id_ not in self._attempts:
            charge = DayCharge(at.date(), tenant, nanodollars(usd))
            self._replace(self._runs, id_, PaidMachine(*_UNKNOWN), [charge])

    def knows(self, id_: str) -> bool:
        """Whether the attempt has been added."""
        return id_ in self._runs

    def nano(self) -> Mapping[PaidPlace, int]:
        """Measured nano-dollars, equal to those of the cost tables."""
        while self._changed:
            name, machine = self._changed.popitem()
            self._replace(self._life_charges, name, machine, self._lives[name].charges())
        return self._nano

    def add_ons_nano(self) -> Mapping[BilledDay, Mapping[str, int]]:
        """Nano-dollars of the add-ons of leased machines, by category of the bill."""
        self.nano()
        return {of: add_on_nano(self._add_ons, of, micros) for of, micros in self._micros.items()}

    def _unmeasured_days(self, times: AttemptTimes) -> list[UnmeasuredTime]:
        machine, ended = PaidMachine(times.backend, times.sku), times.ended_at
        return [
            self.unmeasured.setdefault((day, machine), UnmeasuredTime(day))
            for day in sorted({ended.date(), (ended + LONGEST_TAIL).date()})
        ]

    def _replace(
        self,
        among: dict[Name, list[_Charge]],
        name: Name,
        machine: PaidMachine,
        charges: Iterable[DayCharge],
    ) -> None:
        for place, one in among.pop(name, ()):
            self._add(place, -one.nano, -one.micros)
        among[name] = [(PaidPlace(one.day, machine, one.tenant), one) for one in charges]
        for place, one in among[name]:
            self._add(place, one.nano, one.micros)

    def _add(self, place: PaidPlace, nano: int, micros: int) -> None:
        self._nano[place] += nano
        if micros:
            self._micros[BilledDay(place.day, place.machine.backend)] += micros
