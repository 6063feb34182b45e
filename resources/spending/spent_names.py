"""The names under `ledger/spent/`: everything that a limit needs to know of an ended attempt.

`<day and time>_<attempt>_<nanodollars>_<tenant>!<backend>!<sku>!<status>!<numbers>!<boot>!<audio>`:
a listing is enough, and nothing is read. Numbers are microseconds or nano-dollars in base 36. A
spot price stands behind the boot, after an @. Names of an earlier version end after the tenant:
only the cost of the run is known.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args
from urllib.parse import quote, unquote

from escriba.billing.attempt_times import MICROSECOND, AttemptTimes, LifeJob
from escriba.billing.attempts import Status
from escriba.billing.price_book import NANODOLLAR
from escriba.billing.priced_time import nanodollars

MOST_USD = Decimal(1_000_000_000)  # the cost tables store amounts as DECIMAL(18, 9)
_BETWEEN = "!"  # not allowed in a tenant's name, and without a meaning to any store
_AT = "@"  # not in a quoted boot
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_ID_LETTERS = 20  # a file name has at most 255 characters, and a tenant's name up to 63
_JOB_LETTERS = 10  # of these identify the job, so that its attempts can be matched
_STATUSES: dict[str, Status] = {one[0]: one for one in get_args(Status)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name. times: None if an earlier version wrote it; usd is then its run until `at`."""

    id: str
    at: datetime
    tenant: str
    usd: Decimal
    times: AttemptTimes | None


def short_id(attempt: str) -> str:
    """A short form of an attempt's id; all attempts at one job share its first half."""
    own = _digest(attempt)[: _ID_LETTERS - _JOB_LETTERS]
    return _digest(attempt.partition("-")[0])[:_JOB_LETTERS] + own


def earlier_short_id(attempt: str) -> str:
    """The short form that earlier versions wrote."""
    return _digest(attempt)[:_ID_LETTERS]


def job_of(short: str) -> str:
    """The part of a short id that identifies the job."""
    return short[:_JOB_LETTERS]


def name_of(attempt: str, times: AttemptTimes, now: datetime) -> str:
    """The name of an attempt's entry, below the folder of the month."""
    money = nanodollars(times.run_usd)
    details = _BETWEEN.join([times.tenant, *_details(times)])
    return f"{now:%dT%H%M%S}_{short_id(attempt)}_{money}_{details}"


def entry_of(name: str, month: str) -> Entry | None:
    """The entry of a name in the folder of a month; None if the name is foreign."""
    try:
        time, id_, nano, rest = name.split("_", 3)
        at = datetime.strptime(f"{month}-{time}", "%Y-%m-%dT%H%M%S").replace(tzinfo=UTC)
        usd = int(nano) * NANODOLLAR
        if not -MOST_USD < usd < MOST_USD:
            return None
        tenant, *details = rest.split(_BETWEEN)
        if not details:
            return Entry(short_id(id_), at, tenant, usd, None)
        return Entry(id_, at, tenant, usd, _times(tenant, usd, details))
    except (ValueError, KeyError, OverflowError):
        return None


def _details(times: AttemptTimes) -> list[str]:
    numbers = [
        (times.started_at - _SINCE) // MICROSECOND,
        (times.started_at - times.created_at) // MICROSECOND,
        times.busy // MICROSECOND,
        times.run // MICROSECOND,
        nanodollars(times.reserved_usd),
        nanodollars(times.overhead_usd),
    ]
    words = [quote(times.backend, ""), quote(times.sku, ""), times.status[0]]
    life = times.life
    if life is not None:
        numbers += [
            (times.started_at - life.began_at) // MICROSECOND,
            (times.started_at - life.ready_at) // MICROSECOND,
            life.idle_timeout // MICROSECOND,
            life.sequence,
            _marks(life),
        ]
    boot = [] if life is None else [quote(life.boot, "") + _spot_price(times)]
    audio = _base36(times.audio // MICROSECOND)
    return [*words, *map(_base36, numbers), *boot, audio]


def _times(tenant: str, usd: Decimal, details: list[str]) -> AttemptTimes:
    backend, sku, status, *rest = details
    # an earlier version did not write the length of the audio
    rest, audio = (rest[:-1], rest[-1]) if len(rest) in _WITH_AUDIO else (rest, "0")
    numbers = [int(one, 36) for one in rest[:_LIFE_END]]
    started, before, busy, run, reserved, overhead = numbers[:_RUN_END]
    started_at = _SINCE + started * MICROSECOND
    boot, _, spot = "".join(rest[_LIFE_END:]).partition(_AT)
    return AttemptTimes(
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
        audio=int(audio, 36) * MICROSECOND,
        life=_life(started_at, numbers[_RUN_END:], boot),
        spot_usd_per_hour=int(spot, 36) * NANODOLLAR if spot else None,
    )


def _spot_price(times: AttemptTimes) -> str:
    usd = times.spot_usd_per_hour
    return "" if usd is None else _AT + _base36(nanodollars(usd))


_RUN_END, _LIFE_END = 6, 11
_WITH_AUDIO = {_RUN_END + 1, _LIFE_END + 2}  # after the numbers, or the boot behind them
_ENDLESS, _WARM, _MACHINE, _FREE = 1, 2, 4, 8


def _marks(life: LifeJob) -> int:
    """Bits: waits without a timeout, is warm, is neither warm nor ends at its timeout, is free."""
    is_machine = life.is_endless and not life.is_warm and bool(life.idle_timeout)
    kept = _ENDLESS * life.is_endless | _WARM * life.is_warm | _MACHINE * is_machine
    return kept | _FREE * life.is_free


def _life(started_at: datetime, numbers: list[int], boot: str) -> LifeJob | None:
    if not boot:
        return None
    began, ready, idle, sequence, marks = numbers
    return LifeJob(
        boot=unquote(boot),
        sequence=sequence,
        began_at=started_at - began * MICROSECOND,
        ready_at=started_at - ready * MICROSECOND,
        idle_timeout=timedelta(microseconds=idle),
        is_endless=bool(marks & _ENDLESS),
        # an earlier version did not mark warm workers: only they outlast a timeout
        is_warm=bool(marks & _WARM) or (marks == _ENDLESS and bool(idle)),
        is_free=bool(marks & _FREE),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _base36(number: int) -> str:
    sign, number = ("-" if number < 0 else ""), abs(number)
    text = ""
    while number:
        number, rest = divmod(number, len(_DIGITS))
        text = _DIGITS[rest] + text
    return f"{sign}{text or '0'}"
