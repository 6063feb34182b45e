"""What is being spent and was spent, as objects in the bucket whose names say all.

`ledger/open/<tenant>/<job>-<n>-<nonce>-<nanodollars>`: an attempt under way, with what it may
cost at most. `ledger/spent/<month>/…`: what came of it (spent_names.py). Sums need listings alone;
names are in the order of time, so that a later one goes on where the last one ended. Old days are
put together (spent_days.py). The truth of costs is the ledger: these hold the limits, by the same
rules and from the same rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from pipelines.billing.attempts import Attempt
from pipelines.billing.billed import Billed, BilledDay
from pipelines.billing.prices import NANODOLLAR, PriceBook
from pipelines.billing.spells import Spell, in_time
from pipelines.billing.standing import Spent, Workers, counted, held
from pipelines.billing.tally import Tally

from .billed import Bills
from .spent_days import SPENT, spent_names
from .spent_names import entry_of, name_of, short_id
from .storage.base import Storage, Stored

OPEN = "ledger/open/"
_OVERLAP = timedelta(minutes=25)  # two clocks may be ten minutes apart, and answers late
_BEFORE = timedelta(days=2)  # of the month before: lives, and idle time, that reach into this one
_NOTE = b"{}\n"  # some stores and people do not like empty objects


@dataclass(frozen=True, slots=True)
class Reservation:
    """An attempt that may cost money until it is settled."""

    tenant: str
    job: str
    attempt: int
    nonce: str
    usd: Decimal

    @property
    def id(self) -> str:
        """Of the attempt; two orchestrators that begin the same one differ by the nonce."""
        return f"{self.job}-{self.attempt}-{self.nonce}"

    @property
    def key(self) -> str:
        """Its object while it is open."""
        return f"{OPEN}{self.tenant}/{self.id}-{_nano(self.usd)}"


def reservation_of(attempt: Attempt) -> Reservation:
    """The same for whoever has only the record of the attempt."""
    return Reservation(
        attempt.tenant, attempt.job, attempt.attempt, attempt.nonce, attempt.quote_usd
    )


class Spending:
    """Reads and writes the objects; remembers what it has read of this month.

    prices: of each second that was paid for. workers: of a backend at once, at most.
    """

    def __init__(
        self,
        storage: Storage,
        prices: PriceBook | None = None,
        workers: Workers = lambda _backend: None,
    ) -> None:
        self._storage, self._bills = storage, Bills(storage)
        self._prices, self._workers = prices or PriceBook(()), workers
        self._month, self._tally = "", Tally(self._prices)
        self._until: dict[str, datetime] = {}  # by month: what ended before is known

    def reserve(self, one: Reservation) -> None:
        """From here on it counts."""
        self._storage.create(one.key, _NOTE)

    def withdraw(self, one: Reservation) -> None:
        """It was never begun, or cost nothing."""
        self._storage.delete(one.key)

    def settle(self, one: Reservation, spell: Spell | None, now: datetime) -> None:
        """What it came to takes the place of the quote; done twice, it counts once.

        spell: None where nobody is paid for it.
        """
        if spell is not None:
            name = name_of(one.id, in_time(spell, now), now)
            self._storage.write(f"{SPENT}{now:%Y-%m}/{name}", _NOTE)
        self._storage.delete(one.key)

    def open(self) -> Iterator[tuple[Reservation, Stored]]:
        """All that is under way, of all orchestrators."""
        for found in self._storage.list(OPEN):
            one = _reservation(found.key) if isinstance(found, Stored) else None
            if one is not None and isinstance(found, Stored):
                yield one, found

    def sum(self, now: datetime) -> Spent:
        """Everything that counts at this moment; open attempts count for today."""
        return self.sums(now, timedelta(0))[0]

    def sums(self, now: datetime, apart: timedelta) -> list[Spent]:
        """The same, and that of the day which it may be by a clock that is so far from ours."""
        under_way = {short_id(one.id): one for one, _ in self.open()}
        self._read(now)
        bills = self._bills.days()
        is_open = [one for id_, one in under_way.items() if not self._tally.knows(id_)]
        days = dict.fromkeys(at.date() for at in (now, now - apart, now + apart))
        return [self._of_day(day, bills, is_open) for day in days]

    def _of_day(
        self, today: date, bills: Mapping[BilledDay, Billed], is_open: list[Reservation]
    ) -> Spent:
        spent = Spent(
            counted=counted(self._tally, bills, today),
            held=held(self._tally, bills, today, self._workers),
        )
        for one in is_open:
            spent.reserved.add(today, today, one.tenant, one.usd)
        return spent

    def _read(self, now: datetime) -> None:
        """Only what may be new since the last time is listed."""
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if f"{now:%Y-%m}" != self._month:
            self._month, self._tally = f"{now:%Y-%m}", Tally(self._prices)
            self._until = {f"{first - _BEFORE:%Y-%m}": first - _BEFORE, self._month: first}
        for month, until in list(self._until.items()):
            if month == self._month:
                self._read_month(month, until)
            elif until < first + _OVERLAP:  # somebody's clock may still be in the last month
                self._read_month(month, min(until, first))
            self._until[month] = now

    def _read_month(self, month: str, until: datetime) -> None:
        prefix, since = f"{SPENT}{month}/", until - _OVERLAP
        after = f"{prefix}{since:%dT%H%M%S}" if f"{since:%Y-%m}" == month else ""
        for name in spent_names(self._storage, prefix, after):
            entry = entry_of(name, month)
            if entry is None:
                continue
            if entry.spell is None:
                self._tally.put_plain(entry.id, entry.at, entry.tenant, entry.usd)
            else:
                self._tally.put(entry.id, entry.spell)


def _nano(usd: Decimal) -> int:
    return int((usd / NANODOLLAR).to_integral_value())


def _reservation(key: str) -> Reservation | None:
    tenant, _, name = key.removeprefix(OPEN).partition("/")
    try:
        job, attempt, nonce, nano = name.split("-")
        return Reservation(tenant, job, int(attempt), nonce, int(nano) * NANODOLLAR)
    except ValueError:
        return None  # nothing of ours
