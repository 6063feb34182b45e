"""Settled money of old days: the names of their objects, as the lines of one object a day.

`ledger/spent/<month>/<day>~<times>-<hash>` comes after all that it is made of, and is written
before they are deleted, so that whoever lists the month meets each entry in one of both or in both.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from itertools import groupby

from .storage.base import Storage, StorageError, Stored

SPENT = "ledger/spent/"
_LOOKS = 10
_TIMES = re.compile(r"~(\d{6})-[0-9a-f]+$")  # how often its lines were put together


def spent_names(storage: Storage, prefix: str, after: str = "") -> list[str]:
    """The names of all entries below a month's prefix, in the order of time.

    A folder of a disk is not listed in one moment: it is listed twice, unless only what is new is
    asked for (`after`), where nothing is put together yet.

    Raises:
        StorageError: days vanish under every look.
    """
    for _ in range(_LOOKS):
        found = _keys(storage, prefix, after)
        if not storage.whole_at_once and not after:
            found |= _keys(storage, prefix, after)
        names: list[str] = []
        for key in sorted(found):
            lines = _lines(storage, key) if _is_day(key) else [key.rpartition("/")[2]]
            if lines is None:
                break  # put together with others meanwhile
            names += lines
        else:
            return names
    raise StorageError(f"What lies below {prefix!r} changes while it is read: who deletes there?")


def compact_spent(storage: Storage, border: date) -> tuple[int, int]:
    """Days before the border as one object each; how many days, and of how many objects."""
    days = files = 0
    for folder, of_day in _old_days(storage, border):
        names: set[str] = set()
        for key in of_day:
            lines = _lines(storage, key) if _is_day(key) else [key.rpartition("/")[2]]
            if lines is None:
                break  # somebody else is at it
            names.update(lines)
        else:
            body = "\n".join(sorted(names)).encode()
            storage.write(_target(folder, of_day, body), body)
            for key in of_day:
                storage.delete(key)
            days, files = days + 1, files + len(of_day)
    return days, files


def has_old_spent(storage: Storage, border: date) -> bool:
    """Whether there is a day to be put together."""
    return next(_old_days(storage, border), None) is not None


def _old_days(storage: Storage, border: date) -> Iterator[tuple[str, list[str]]]:
    """`ledger/spent/<month>/<day>` with more than one object."""
    end = f"{SPENT}{border:%Y-%m/%d}"
    place = len(end)
    keys = (found.key for found in storage.list(SPENT) if isinstance(found, Stored))
    for folder, found in groupby(keys, lambda key: key[:place]):
        of_day = list(found)
        if folder < end and len(of_day) > 1:
            yield folder, of_day


def _target(folder: str, of_day: list[str], body: bytes) -> str:
    """After all that it is made of, in the order of keys."""
    times = [int(found[1]) for key in of_day if (found := _TIMES.search(key))]
    told = hashlib.sha256(body).hexdigest()[:24]
    return f"{folder}~{max(times, default=0) + 1:06d}-{told}"


def _keys(storage: Storage, prefix: str, after: str) -> set[str]:
    return {found.key for found in storage.list(prefix, after) if isinstance(found, Stored)}


def _is_day(key: str) -> bool:
    return _TIMES.search(key) is not None


def _lines(storage: Storage, key: str) -> list[str] | None:
    body = storage.read(key)
    return None if body is None else body.decode().splitlines()
