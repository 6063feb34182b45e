"""Reading the attempts that are new in the ledger since the last time, by the names of its files.

The names of a day's files sort by when they were written (writer.py), so a listing after the last
one is short, however many files the day has. Files of earlier versions sort before all of these.
"""

import hashlib
import io
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pydantic import BaseModel, Field

from escriba.metrics.attempt_totals import EndedAttempt
from resources.storage.base import Storage, StoredObject

from .tables import ATTEMPTS
from .writer import name_at

# an attempt ends two days after its start at most; a day is compacted when a week has passed
WINDOW_DAYS: Final = 9
_OVERLAP = timedelta(minutes=25)  # clocks differ, and a write may take its time
_READERS = 16
_COLUMNS = [field.name for field in fields(EndedAttempt)]
_LOG = logging.getLogger("escriba")


class DayRead(BaseModel):
    """What was read of a day. after: name before which nothing new comes; files: later ones."""

    after: str = ""
    files: set[str] = Field(default_factory=set)
    seen: dict[str, str] = Field(default_factory=dict)  # digest of an attempt -> its status


class LedgerRead(BaseModel):
    """What was read so far; days that have left the window are forgotten."""

    days: dict[date, DayRead] = Field(default_factory=dict)


def new_attempts(
    storage: Storage, read: LedgerRead, now: datetime
) -> Iterator[tuple[EndedAttempt, bool]]:
    """Each new attempt, and whether this is the first row of it. Updates `read` as it goes.

    The first call reads the whole ledger, whose old days are one file each. An attempt that was
    lost and delivered its result later comes twice.

    Raises:
        StorageError: the ledger cannot be read; `read` then holds what was read before.
    """
    today = now.astimezone(UTC).date()
    window = [today + timedelta(days=back) for back in range(-WINDOW_DAYS + 1, 2)]
    if not read.days:
        yield from _before(storage, window[0])
    for day in window:
        yield from _of_day(storage, day, read.days.setdefault(day, DayRead()), now)
    for day in [day for day in read.days if day < window[0]]:
        del read.days[day]


def _before(storage: Storage, first: date) -> Iterator[tuple[EndedAttempt, bool]]:
    """The attempts of all days before the window; what a day has twice counts once."""
    day, seen = "", set[str]()
    for key in _keys(storage, ATTEMPTS, ""):
        folder = key.split("/")[-2]
        if folder >= f"date={first}":
            return
        if folder != day:
            day, seen = folder, set()
        for one in _rows(storage, key):
            if one.attempt_id not in seen:
                yield one, True
            seen.add(one.attempt_id)


def _of_day(
    storage: Storage, day: date, read: DayRead, now: datetime
) -> Iterator[tuple[EndedAttempt, bool]]:
    folder = f"{ATTEMPTS}date={day}/"
    after = f"{folder}{read.after}" if read.after else ""
    keys = list(_keys(storage, folder, after))
    new = [key for key in keys if key.removeprefix(folder) not in read.files]
    with ThreadPoolExecutor(_READERS) as pool:
        for rows in pool.map(lambda key: list(_rows(storage, key)), new):
            for one in rows:
                yield from _unseen(one, read)
    read.after = name_at(now - _OVERLAP)
    read.files = {name for key in keys if (name := key.removeprefix(folder)) > read.after}


def _unseen(one: EndedAttempt, read: DayRead) -> Iterator[tuple[EndedAttempt, bool]]:
    digest = hashlib.sha256(one.attempt_id.encode()).hexdigest()[:16]
    before = read.seen.get(digest)
    if before is None or (one.status == "done" and before != "done"):
        read.seen[digest] = one.status
        yield one, before is None


def _keys(storage: Storage, folder: str, after: str) -> Iterator[str]:
    for found in storage.list(folder, after):
        if isinstance(found, StoredObject) and found.key.endswith(".parquet"):
            yield found.key


def _rows(storage: Storage, key: str) -> Iterator[EndedAttempt]:
    """The attempts of a file; none if it was compacted meanwhile, or is damaged."""
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s
    import pyarrow.parquet as pq  # noqa: PLC0415

    data = storage.read(key)
    if data is None:
        return
    try:
        table = pq.read_table(io.BytesIO(data), columns=_COLUMNS)
    except (pa.ArrowException, OSError):
        _LOG.warning("The metrics leave out %s, which is damaged.", key)
        return
    columns: Sequence[list[object]] = [table.column(name).to_pylist() for name in _COLUMNS]
    for values in zip(*columns, strict=True):
        yield EndedAttempt(*values)
