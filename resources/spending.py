"""What is being spent and was spent, as objects in the bucket whose names say all.

`ledger/open/<tenant>/<job>-<n>-<nonce>-<nanodollars>`: an attempt under way, with its quote.
`ledger/spent/<month>/<day and time>_<job>-<n>-<nonce>_<nanodollars>_<tenant>`: what it came to.
Sums need listings alone; names are in the order of time, so that a later one goes on where the
last one ended. Old days are put together (spent_days.py). The truth of costs is the ledger: these
only hold the limits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pipelines.billing.attempts import Attempt
from pipelines.billing.prices import NANODOLLAR

from .spent_days import SPENT, spent_names
from .storage.base import Storage, Stored

OPEN = "ledger/open/"
_OVERLAP = timedelta(minutes=25)  # two clocks may be ten minutes apart, and answers late
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


@dataclass(frozen=True, slots=True)
class Entry:
    """Money of one attempt: when (UTC), whose, how much."""

    at: datetime
    tenant: str
    usd: Decimal


@dataclass
class Spent:
    """Sums of this day and month; open attempts count for today."""

    day: dict[str, Decimal] = field(default_factory=dict)
    month: dict[str, Decimal] = field(default_factory=dict)

    def add(self, entry: Entry, today: datetime) -> None:
        for sums, same in (
            (self.day, entry.at.date() == today.date()),
            (self.month, (entry.at.year, entry.at.month) == (today.year, today.month)),
        ):
            if same:
                sums[entry.tenant] = sums.get(entry.tenant, Decimal(0)) + entry.usd

    def take_back(self, tenant: str, usd: Decimal) -> None:
        """A reservation of this moment that was refused."""
        for sums in (self.day, self.month):
            sums[tenant] -= usd


class Spending:
    """Reads and writes the objects; remembers what it has read of this month."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._month, self._seen = "", dict[str, Entry]()
        self._until = datetime.min.replace(tzinfo=UTC)

    def reserve(self, one: Reservation) -> None:
        """From here on it counts."""
        self._storage.create(one.key, _NOTE)

    def withdraw(self, one: Reservation) -> None:
        """It was never begun, or cost nothing."""
        self._storage.delete(one.key)

    def settle(self, one: Reservation, usd: Decimal, now: datetime) -> None:
        """What it came to takes the place of the quote; done twice, it counts once."""
        if usd:
            self._storage.write(
                f"{SPENT}{now:%Y-%m}/{now:%dT%H%M%S}_{one.id}_{_nano(usd)}_{one.tenant}", _NOTE
            )
        self._storage.delete(one.key)

    def open(self) -> Iterator[tuple[Reservation, Stored]]:
        """All that is under way, of all orchestrators."""
        for found in self._storage.list(OPEN):
            one = _reservation(found.key) if isinstance(found, Stored) else None
            if one is not None and isinstance(found, Stored):
                yield one, found

    def sum(self, now: datetime) -> Spent:
        """Everything that counts at this moment."""
        under_way = {one.id: one for one, _ in self.open()}
        settled = self._settled(now)
        spent = Spent()
        for entry in settled.values():
            spent.add(entry, now)
        for id_, one in under_way.items():
            if id_ not in settled:
                spent.add(Entry(now, one.tenant, one.usd), now)
        return spent

    def _settled(self, now: datetime) -> Mapping[str, Entry]:
        """Of this month; only what may be new since the last time is listed."""
        month = f"{now:%Y-%m}"
        if month != self._month:
            self._month, self._seen, self._until = month, {}, now.replace(day=1, hour=0)
        prefix = f"{SPENT}{month}/"
        since = self._until - _OVERLAP
        after = f"{prefix}{since:%dT%H%M%S}" if f"{since:%Y-%m}" == month else ""
        for name in spent_names(self._storage, prefix, after):
            read = _entry(name, month)
            if read is not None:
                self._seen[read[0]] = read[1]
        self._until = now
        return self._seen


def _nano(usd: Decimal) -> int:
    return int((usd / NANODOLLAR).to_integral_value())


def _reservation(key: str) -> Reservation | None:
    tenant, _, name = key.removeprefix(OPEN).partition("/")
    try:
        job, attempt, nonce, nano = name.split("-")
        return Reservation(tenant, job, int(attempt), nonce, int(nano) * NANODOLLAR)
    except ValueError:
        return None  # nothing of ours


def _entry(name: str, month: str) -> tuple[str, Entry] | None:
    try:
        time, id_, nano, tenant = name.split("_", 3)
        at = datetime.strptime(f"{month}-{time}", "%Y-%m-%dT%H%M%S").replace(tzinfo=UTC)
        return id_, Entry(at, tenant, int(nano) * NANODOLLAR)
    except ValueError:
        return None
