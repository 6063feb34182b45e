"""Open and settled spending, as objects in the bucket that carry all data in their names.

`ledger/open/<tenant>/<job>-<n>-<nonce>-<nanodollars>-<backend>`: an open attempt and its maximum
cost; earlier versions wrote no backend.
`ledger/spent/<month>/…`: its real cost (spent_names.py). A sum needs listings alone; names sort by
time, so a later sum continues after the last one. Old days are compacted (spent_days.py). The
ledger is the source of truth for costs: these objects enforce the limits, by the same rules and
from the same rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from escriba.billing.attempt_times import AttemptTimes, with_plausible_clock
from escriba.billing.attempts import Attempt
from escriba.billing.billed_days import Billed, BilledDay
from escriba.billing.cost_count import CostCount
from escriba.billing.price_book import NANODOLLAR, PriceBook
from escriba.billing.shared_costs import SharedBy
from escriba.billing.spent_totals import Spent, WorkerLimits, counted, held
from resources.storage.base import Storage, StoredObject

from .billed_days import InvoiceCache
from .spent_days import SPENT, spent_names
from .spent_names import MOST_USD, earlier_short_id, entry_of, job_of, name_of, short_id

OPEN = "ledger/open/"
_OVERLAP = timedelta(minutes=25)  # clocks may differ by ten minutes, and writes may be late
_BEFORE = timedelta(days=2)  # of the previous month: sessions and idle time that reach into this
_NOTE = b"{}\n"  # some stores do not handle empty objects well


@dataclass(frozen=True, slots=True)
class Reservation:
    """An attempt that may cost money until it is settled. backend: empty: unknown."""

    tenant: str
    job: str
    attempt: int
    nonce: str
    usd: Decimal
    backend: str = ""

    @property
    def id(self) -> str:
        """The attempt's id; two orchestrators that start the same one differ by the nonce."""
        return f"{self.job}-{self.attempt}-{self.nonce}"

    @property
    def key(self) -> str:
        """The key of its object while it is open."""
        backend = f"-{self.backend}" if self.backend else ""
        return f"{OPEN}{self.tenant}/{self.id}-{_nano(self.usd)}{backend}"


def reservation_of(attempt: Attempt) -> Reservation:
    """The reservation of an attempt, from its record."""
    return Reservation(
        attempt.tenant,
        attempt.job,
        attempt.attempt,
        attempt.nonce,
        attempt.quote_usd,
        attempt.backend,
    )


class Spending:
    """Reads and writes the objects; caches what it has read of this month.

    prices: for all billed seconds. workers: the largest number of concurrent workers of a backend.
    shared_by: how tenants share billed costs beside machines.
    """

    def __init__(
        self,
        storage: Storage,
        prices: PriceBook | None = None,
        workers: WorkerLimits = lambda _backend: None,
        shared_by: SharedBy = "apart",
    ) -> None:
        self._shared_by: SharedBy = shared_by
        self._storage, self._bills = storage, InvoiceCache(storage)
        self._prices, self._workers = prices or PriceBook(()), workers
        self._month, self._tally = "", CostCount(self._prices)
        self._until: dict[str, datetime] = {}  # by month: everything before is known

    def reserve(self, one: Reservation) -> None:
        """Write a reservation, which counts from now on."""
        self._storage.create(one.key, _NOTE)

    def withdraw(self, one: Reservation) -> None:
        """Remove a reservation that never started or cost nothing."""
        self._storage.delete(one.key)

    def settle(self, one: Reservation, times: AttemptTimes | None, now: datetime) -> None:
        """Replace the reservation by the real cost; idempotent.

        times: the attempt's billed times; None: it is free.
        """
        if times is not None:
            name = name_of(one.id, with_plausible_clock(times, now), now)
            self._storage.write(f"{SPENT}{now:%Y-%m}/{name}", _NOTE)
        self._storage.delete(one.key)

    def open(self) -> Iterator[tuple[Reservation, StoredObject]]:
        """All open reservations, of all orchestrators."""
        for found in self._storage.list(OPEN):
            one = _reservation(found.key) if isinstance(found, StoredObject) else None
            if one is not None and isinstance(found, StoredObject):
                yield one, found

    def foreign(self) -> Iterator[str]:
        """The keys among the open reservations that are none, and count for no limit."""
        for found in self._storage.list(OPEN):
            if not isinstance(found, StoredObject) or _reservation(found.key) is None:
                yield found.key

    def sum(self, now: datetime) -> Spent:
        """Everything that counts now; open attempts count for today."""
        return self.sums(now, timedelta(0))[0]

    def sums(self, now: datetime, apart: timedelta) -> list[Spent]:
        """The same, and for each other day that a clock which differs by `apart` may show."""
        under_way = [one for one, _ in self.open()]
        self._read(now)
        bills = self._bills.days()
        is_open = [one for one in under_way if not self._is_settled(one)]
        days = dict.fromkeys(at.date() for at in (now, now - apart, now + apart))
        return [self._of_day(day, bills, is_open) for day in days]

    def _is_settled(self, one: Reservation) -> bool:
        return any(self._tally.knows(id_(one.id)) for id_ in (short_id, earlier_short_id))

    def _of_day(
        self, today: date, bills: Mapping[BilledDay, Billed], is_open: list[Reservation]
    ) -> Spent:
        spent = Spent(
            counted=counted(self._tally, bills, today, self._shared_by),
            held=held(self._tally, bills, today, self._workers),
        )
        for one in is_open:
            spent.reserved.add(today, today, one.tenant, one.usd, one.backend)
        return spent

    def _read(self, now: datetime) -> None:
        """Read what may be new since the last time."""
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if f"{now:%Y-%m}" != self._month:
            self._month, self._tally = f"{now:%Y-%m}", CostCount(self._prices)
            self._until = {f"{first - _BEFORE:%Y-%m}": first - _BEFORE, self._month: first}
        for month, until in list(self._until.items()):
            if month == self._month:
                self._read_month(month, until)
            elif until < first + _OVERLAP:  # another clock may still show the last month
                self._read_month(month, min(until, first))
            self._until[month] = now

    def _read_month(self, month: str, until: datetime) -> None:
        prefix, since = f"{SPENT}{month}/", until - _OVERLAP
        after = f"{prefix}{since:%dT%H%M%S}" if f"{since:%Y-%m}" == month else ""
        for name in spent_names(self._storage, prefix, after):
            entry = entry_of(name, month)
            if entry is None:
                continue
            if entry.times is None:
                self._tally.put_run_cost(entry.id, entry.at, entry.tenant, entry.usd)
            else:
                self._tally.put(entry.id, entry.times, job_of(entry.id))


def _nano(usd: Decimal) -> int:
    return int((usd / NANODOLLAR).to_integral_value())


def _reservation(key: str) -> Reservation | None:
    tenant, _, name = key.removeprefix(OPEN).partition("/")
    try:
        job, attempt, nonce, nano, *backend = name.split("-")
        usd = int(nano) * NANODOLLAR
        if not (0 <= usd < MOST_USD and int(attempt) > 0):
            return None
        return Reservation(tenant, job, int(attempt), nonce, usd, "-".join(backend))
    except ValueError:
        return None  # not a reservation
