"""What runs cost, day by day, in whole nano-dollars; beside lives.py the count of every limit.

The same rules as `int_attempt_charges` in dbt_costs (tests/costs/test_gate.py holds both to the
same sums): each second of a run at its price, cut at midnight, as bills are.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .priced_time import Lines, cost_nano, nanodollars, share
from .prices import Price
from .report.figures import UNALLOCATED
from .spells import MICROSECOND, Spell

__all__ = ["UNALLOCATED", "Charge", "is_by_audio", "nano_of", "run_charges"]


class Charge(NamedTuple):
    """Nano-dollars of a day (UTC)."""

    day: date
    tenant: str
    nano: int


def run_charges(spell: Spell, lines: Lines) -> Iterator[Charge]:
    """Audio is paid on the day on which it was sent, however long it takes."""
    whole, run = spell.busy // MICROSECOND, spell.run // MICROSECOND
    if whole <= 0 or is_by_audio(spell, lines):
        yield Charge(spell.started_at.date(), spell.tenant, nanodollars(spell.run_usd))
        return
    for piece in lines.cut(spell.backend, spell.sku, spell.started_at, spell.ended_at):
        since, until = ((at - spell.started_at) // MICROSECOND for at in (piece.since, piece.until))
        time = share(run, since, until, whole) * MICROSECOND
        yield Charge(piece.day, spell.tenant, nano_of(piece.price, time, spell))


def is_by_audio(spell: Spell, lines: Lines) -> bool:
    """Whether its price is of the audio: then a worker's life costs nothing beside its jobs."""
    price = lines.at(spell.backend, spell.sku, spell.started_at)
    return price is not None and price.unit == "audio_minute"


def nano_of(price: Price | None, time: timedelta, spell: Spell) -> int:
    """Where the price book has no line any more, at the price that was written down."""
    if price is not None:
        return cost_nano(price, time)
    run = spell.run // MICROSECOND
    return nanodollars(spell.run_usd * (time // MICROSECOND) / Decimal(run)) if run else 0
