"""The attempts that ended within the last hour, from the ledger's newest files."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from resources.ledger.tables import ATTEMPTS
from resources.ledger.writer import name_at
from resources.storage.base import Storage, StoredObject

WINDOW: Final = timedelta(hours=1)
_READERS: Final = 16
_DAYS: Final = 2  # the longest attempt: its row lies under the day of its start
_LATE: Final = timedelta(minutes=25)  # clocks differ, and a write may take its time
_COLUMNS: Final = ["status", "queued_at", "ended_at", "cost_usd"]


@dataclass(frozen=True, slots=True)
class EndedAttempt:
    """What the rules need of a row."""

    status: str
    queued_at: datetime
    ended_at: datetime
    cost_usd: Decimal


class RecentAttempts:
    """Keeps what it has read: each file is read once."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[EndedAttempt, ...]] = {}

    def read(self, storage: Storage, now: datetime) -> list[EndedAttempt]:
        """The attempts that ended in the hour before now.

        Raises:
            StorageError: the ledger cannot be read.
        """
        keys = list(_keys(storage, now))
        new = [key for key in keys if key not in self._files]
        with ThreadPoolExecutor(_READERS) as pool:
            read = dict(zip(new, pool.map(lambda key: _read(storage, key, now), new), strict=True))
        self._files = {key: self._files[key] if key in self._files else read[key] for key in keys}
        rows = (one for rows in self._files.values() for one in rows)
        return [one for one in rows if now - WINDOW < one.ended_at <= now + _LATE]


def _keys(storage: Storage, now: datetime) -> Iterator[str]:
    """The files that were written in the window: their names sort by time (ledger/writer.py)."""
    first = name_at(now - WINDOW - _LATE)
    for back in range(_DAYS + 1):
        folder = f"{ATTEMPTS}date={(now - timedelta(days=back)).astimezone(UTC):%Y-%m-%d}/"
        for found in storage.list(folder, f"{folder}{first}"):
            if isinstance(found, StoredObject) and found.key.endswith(".parquet"):
                yield found.key


def _read(storage: Storage, key: str, now: datetime) -> tuple[EndedAttempt, ...]:
    """The rows that matter; none of a file that was compacted meanwhile, or is damaged."""
    return tuple(one for one in _rows(storage, key) if one.ended_at > now - WINDOW)


def _rows(storage: Storage, key: str) -> Iterator[EndedAttempt]:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s
    import pyarrow.parquet as pq  # noqa: PLC0415

    data = storage.read(key)
    if data is None:
        return
    try:
        columns = pq.read_table(io.BytesIO(data), columns=_COLUMNS).to_pydict()
    except (pa.ArrowException, OSError):  # the cost tables name a damaged file
        return
    for values in zip(*(columns[name] for name in _COLUMNS), strict=True):
        yield EndedAttempt(*values)
