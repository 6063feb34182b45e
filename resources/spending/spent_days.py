"""Settled spending of old days: the names of their objects as the lines of one object per day.

`ledger/spent/<month>/<day>~<times>-<hash>` sorts after its sources and is written before they are
deleted, so a listing of the month finds each entry at least once.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from itertools import groupby

from resources.storage.base import Storage, StorageError, StoredObject
from resources.storage.read_documents import DamagedError

SPENT = "ledger/spent/"
_LOOKS = 10
_NAME = re.compile(r"\d\dT\d{6}_")
_MEND = (
    "Restore it from a backup. If there is none, delete it, and what that day cost no longer "
    "counts for the budget limits; the ledger still has it."
)
_TIMES = re.compile(r"~(\d{6})-[0-9a-f]+$")  # how often its lines were compacted


def spent_names(storage: Storage, prefix: str, after: str = "") -> list[str]:
    """The names of all entries below a month's prefix, in order of time.

    Listing a local folder is not atomic, so it is listed twice, unless only new entries are needed
    (`after`), which are not compacted yet.

    Raises:
        StorageError: days disappear during every look.
    """
    for _ in range(_LOOKS):
        found = _keys(storage, prefix, after)
        if not storage.writes_appear_whole and not after:
            found |= _keys(storage, prefix, after)
        names: list[str] = []
        for key in sorted(found):
            lines = _lines(storage, key) if _is_day(key) else [key.rpartition("/")[2]]
            if lines is None:
                break  # compacted meanwhile
            names += lines
        else:
            return names
    raise StorageError(
        f"The objects below {prefix!r} change while they are read. Find out what deletes them in "
        "STORAGE_URL."
    )


def compact_spent(storage: Storage, border: date) -> tuple[int, int]:
    """Compact days before the border; returns the numbers of days and of source objects."""
    days = files = 0
    for folder, of_day in _old_days(storage, border):
        names: set[str] = set()
        for key in of_day:
            lines = _lines(storage, key) if _is_day(key) else [key.rpartition("/")[2]]
            if lines is None:
                break  # another process compacts it
            names.update(lines)
        else:
            body = "\n".join(sorted(names)).encode()
            storage.write(_target(folder, of_day, body), body)
            for key in of_day:
                storage.delete(key)
            days, files = days + 1, files + len(of_day)
    return days, files


def has_old_spent(storage: Storage, border: date) -> bool:
    """Whether any day needs compaction."""
    return next(_old_days(storage, border), None) is not None


def _old_days(storage: Storage, border: date) -> Iterator[tuple[str, list[str]]]:
    """Prefixes `ledger/spent/<month>/<day>` with more than one object."""
    end = f"{SPENT}{border:%Y-%m/%d}"
    place = len(end)
    keys = (found.key for found in storage.list(SPENT) if isinstance(found, StoredObject))
    for folder, found in groupby(keys, lambda key: key[:place]):
        of_day = list(found)
        if folder < end and len(of_day) > 1:
            yield folder, of_day


def _target(folder: str, of_day: list[str], body: bytes) -> str:
    """A key that sorts after its sources."""
    times = [int(found[1]) for key in of_day if (found := _TIMES.search(key))]
    digest = hashlib.sha256(body).hexdigest()[:24]
    return f"{folder}~{max(times, default=0) + 1:06d}-{digest}"


def _keys(storage: Storage, prefix: str, after: str) -> set[str]:
    return {found.key for found in storage.list(prefix, after) if isinstance(found, StoredObject)}


def _is_day(key: str) -> bool:
    return _TIMES.search(key) is not None


def _lines(storage: Storage, key: str) -> list[str] | None:
    """The lines of a day's object; None if there is none.

    Raises:
        DamagedError: without it, a budget limit would count too little.
    """
    body = storage.read(key)
    if body is None:
        return None
    try:
        lines = body.decode().splitlines()
    except UnicodeDecodeError:
        lines = []
    if not any(map(_is_name, lines)):
        raise DamagedError(key, "is not a day of spending", _MEND)
    return lines


def _is_name(line: str) -> bool:
    """Whether it begins as names do: with a day and time (spent_names.py)."""
    return _NAME.match(line) is not None
