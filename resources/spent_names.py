"""The names under `ledger/spent/`: all that a limit must know of an attempt that is over.

`<day and time>_<attempt>_<nanodollars>_<tenant>!<backend>!<sku>!<how it ended>!<numbers>!<boot>`: a
listing tells it, and nothing is read. Numbers are microseconds, or nano-dollars, to the base of 36.
What an earlier version wrote ends with the tenant: of that the money of its run is known.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args
from urllib.parse import quote, unquote

from pipelines.billing.attempts import Status
from pipelines.billing.priced_time import nanodollars
from pipelines.billing.prices import NANODOLLAR
from pipelines.billing.spells import MICROSECOND, LifePart, Spell

_BETWEEN = "!"  # in no tenant's name, and of no meaning to any store
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_ID_LETTERS = 20  # a name in a folder has 255 at most, and a tenant's takes up to 63
_STATUSES: dict[str, Status] = {one[0]: one for one in get_args(Status)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name. spell: None where an earlier version wrote it: then usd is its run until `at`."""

    id: str
    at: datetime
    tenant: str
    usd: Decimal
    spell: Spell | None


def short_id(attempt: str) -> str:
    """Of an attempt's id, which is too long for a name that says all."""
    return hashlib.sha256(attempt.encode()).hexdigest()[:_ID_LETTERS]


def name_of(attempt: str, spell: Spell, now: datetime) -> str:
    """The name of its entry, below the folder of the month."""
    money = nanodollars(spell.run_usd)
    told = _BETWEEN.join([spell.tenant, *_details(spell)])
    return f"{now:%dT%H%M%S}_{short_id(attempt)}_{money}_{told}"


def entry_of(name: str, month: str) -> Entry | None:
    """What a name in the folder of a month says; None where it is nothing of ours."""
    try:
        time, id_, nano, told = name.split("_", 3)
        at = datetime.strptime(f"{month}-{time}", "%Y-%m-%dT%H%M%S").replace(tzinfo=UTC)
        usd = int(nano) * NANODOLLAR
        tenant, *details = told.split(_BETWEEN)
        if not details:
            return Entry(short_id(id_), at, tenant, usd, None)
        return Entry(id_, at, tenant, usd, _spell(tenant, usd, details))
    except (ValueError, KeyError, OverflowError):
        return None


def _details(spell: Spell) -> list[str]:
    numbers = [
        (spell.started_at - _SINCE) // MICROSECOND,
        (spell.started_at - spell.created_at) // MICROSECOND,
        spell.busy // MICROSECOND,
        spell.run // MICROSECOND,
        nanodollars(spell.reserved_usd),
        nanodollars(spell.overhead_usd),
    ]
    words = [quote(spell.backend, ""), quote(spell.sku, ""), spell.status[0]]
    life = spell.life
    if life is not None:
        numbers += [
            (spell.started_at - life.began_at) // MICROSECOND,
            (spell.started_at - life.ready_at) // MICROSECOND,
            life.idle_timeout // MICROSECOND,
            life.sequence,
            int(life.is_endless),
        ]
    boot = [] if life is None else [quote(life.boot, "")]
    return [*words, *map(_base36, numbers), *boot]


def _spell(tenant: str, usd: Decimal, details: list[str]) -> Spell:
    backend, sku, status, *rest = details
    numbers = [int(one, 36) for one in rest[:_LIFE_END]]
    started, before, busy, run, reserved, overhead = numbers[:_RUN_END]
    started_at = _SINCE + started * MICROSECOND
    return Spell(
        tenant=tenant,
        backend=unquote(backend),
        sku=unquote(sku),
        status=_STATUSES[status],
        created_at=started_at - before * MICROSECOND,
        started_at=started_at,
        ended_at=started_at + busy * MICROSECOND,
        run=run * MICROSECOND,
        run_usd=usd,
        reserved_usd=reserved * NANODOLLAR,
        overhead_usd=overhead * NANODOLLAR,
        life=_life(started_at, numbers[_RUN_END:], rest[_LIFE_END:]),
    )


_RUN_END, _LIFE_END = 6, 11


def _life(started_at: datetime, numbers: list[int], boot: list[str]) -> LifePart | None:
    if not boot:
        return None
    began, ready, idle, sequence, is_endless = numbers
    return LifePart(
        boot=unquote(boot[0]),
        sequence=sequence,
        began_at=started_at - began * MICROSECOND,
        ready_at=started_at - ready * MICROSECOND,
        idle_timeout=timedelta(microseconds=idle),
        is_endless=bool(is_endless),
    )


def _base36(number: int) -> str:
    sign, number = ("-" if number < 0 else ""), abs(number)
    text = ""
    while number:
        number, rest = divmod(number, len(_DIGITS))
        text = _DIGITS[rest] + text
    return f"{sign}{text or '0'}"
