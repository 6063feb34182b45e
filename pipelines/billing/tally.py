"""All that was spent, by day, backend and tenant, kept as attempts end."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar

from .charges import Charge, run_charges
from .lives import Life
from .priced_time import Lines, nanodollars
from .prices import PriceBook
from .spells import Spell
from .unseen import LONGEST_TAIL, Unseen

Name = TypeVar("Name", str, tuple[str, str])
_NOBODYS = ("", "")  # of an entry that an earlier version wrote: it said the money alone


class Machine(NamedTuple):
    """What was paid for. Both are empty where an earlier version wrote the entry."""

    backend: str
    sku: str


class Place(NamedTuple):
    """Where and whose money is."""

    day: date
    machine: Machine
    tenant: str


class Tally:
    """Takes attempts in any order; of two words on one, the later counts."""

    def __init__(self, prices: PriceBook) -> None:
        self.lines = Lines(prices)
        self.unseen: dict[tuple[date, Machine], Unseen] = {}
        self._spells: dict[str, Spell] = {}
        self._nano: defaultdict[Place, int] = defaultdict(int)
        self._runs: dict[str, list[tuple[Place, int]]] = {}
        self._lives: dict[tuple[str, str], Life] = {}
        self._of_lives: dict[tuple[str, str], list[tuple[Place, int]]] = {}
        self._changed: dict[tuple[str, str], Machine] = {}

    def put(self, id_: str, spell: Spell) -> None:
        """An attempt that is over."""
        before = self._spells.get(id_)
        if before == spell:
            return
        machine = Machine(spell.backend, spell.sku)
        self._spells[id_] = spell
        self._replace(self._runs, id_, machine, run_charges(spell, self.lines))
        if spell.life is not None:
            name = (spell.backend, spell.life.boot)
            self._lives.setdefault(name, Life(self.lines)).put(id_, spell, spell.life)
            self._changed[name] = machine
        for unseen in self._unseen(before) if before is not None else ():
            unseen.remove(id_)
        for unseen in self._unseen(spell):
            unseen.put(id_, spell)

    def put_plain(self, id_: str, at: datetime, tenant: str, usd: Decimal) -> None:
        """What an earlier version wrote down of one: no more than its run."""
        if id_ not in self._spells:
            charge = Charge(at.date(), tenant, nanodollars(usd))
            self._replace(self._runs, id_, Machine(*_NOBODYS), [charge])

    def knows(self, id_: str) -> bool:
        """Whether it is over."""
        return id_ in self._runs

    def nano(self) -> Mapping[Place, int]:
        """Nano-dollars, as the cost tables have them of what was measured."""
        while self._changed:
            name, machine = self._changed.popitem()
            self._replace(self._of_lives, name, machine, self._lives[name].charges())
        return self._nano

    def _unseen(self, spell: Spell) -> list[Unseen]:
        machine, ended = Machine(spell.backend, spell.sku), spell.ended_at
        return [
            self.unseen.setdefault((day, machine), Unseen(day))
            for day in sorted({ended.date(), (ended + LONGEST_TAIL).date()})
        ]

    def _replace(
        self,
        among: dict[Name, list[tuple[Place, int]]],
        name: Name,
        machine: Machine,
        charges: Iterable[Charge],
    ) -> None:
        for place, nano in among.pop(name, ()):
            self._nano[place] -= nano
        among[name] = [(Place(one.day, machine, one.tenant), one.nano) for one in charges]
        for place, nano in among[name]:
            self._nano[place] += nano
