"""What is new in the inbox since the last look: a set function over a listing and a cursor.

The inbox is listed in sweeps, in the order of keys, a bounded piece at each look. An object is
taken when it is not older than what earlier sweeps have seen (by the store's own clock, with an
overlap), was not taken before, and, in a folder, looked the same one sweep earlier. "New" is never
"not yet a partition": a look that is repeated with the same cursor finds the same.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from pydantic import BaseModel, ConfigDict

from pipelines.recordings import INBOX, Recording
from resources.storage.base import Oddity, Storage, Stored

from .inbox import Refused, is_settled, judge_name

OVERLAP = timedelta(hours=1)  # clocks of a store differ, and listings lag
_MOST_SEEN = 50_000  # 1.5 MB of cursor; what is forgotten is found done, or joins its own run
_READERS = 32


@dataclass(frozen=True)
class Limits:
    """How much one look may do: a tick of a sensor has 60 s."""

    listed: int = 20_000
    taken: int = 2_000


class Cursor(BaseModel):
    """Where the sweeps are. Digests of key and ETag stand for objects."""

    model_config = ConfigDict(frozen=True)

    version: int = 1
    after: str = ""  # the sweep goes on behind this key; empty: a new one begins
    floor: datetime | None = None  # what is older was seen by earlier sweeps
    newest_before: datetime | None = None  # the newest that was seen before this sweep
    newest: datetime | None = None
    seen: dict[str, float] = {}  # digest -> modified, as a timestamp
    growing_before: frozenset[str] = frozenset()  # seen for the first time in the last sweep
    growing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """A recording that is work, as it lies in the inbox."""

    recording: Recording
    etag: str


@dataclass
class Look:
    """What one look found; `more`: the sweep is not over."""

    found: list[Found] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    cursor: Cursor = field(default_factory=Cursor)
    more: bool = False


def look(storage: Storage, cursor: Cursor, limits: Limits = Limits()) -> Look:  # frozen
    """The next piece of the sweep.

    Raises:
        StorageError: the inbox could not be listed; that is no empty inbox.
    """
    sweep = _Sweep(cursor if cursor.after else _next_sweep(cursor), limits)
    sweep.listen(storage.list(INBOX, after=sweep.cursor.after), whole=storage.whole_at_once)
    judged = [judge_name(one) for one in sweep.fresh]
    refused = [what for _, what in judged if isinstance(what, Refused)]
    stored = [(r, what.etag) for r, what in judged if r is not None and isinstance(what, Stored)]
    with ThreadPoolExecutor(_READERS) as pool:
        settled = pool.map(lambda one: is_settled(storage, *one), stored)
        found = [Found(*one) for one, over in zip(stored, settled, strict=True) if not over]
    return Look(found, refused, sweep.end(), more=not sweep.is_over)


class _Sweep:
    """A piece of a sweep, while it is listed."""

    def __init__(self, cursor: Cursor, limits: Limits) -> None:
        self.cursor, self._limits = cursor, limits
        self.fresh: list[Stored | Oddity] = []
        self.is_over = False
        self._after, self._newest = cursor.after, cursor.newest
        self._seen, self._growing = dict(cursor.seen), set(cursor.growing)

    def listen(self, listing: Iterable[Stored | Oddity], *, whole: bool) -> None:
        """Sort what is listed, until one of the limits is reached."""
        listed = 0
        for one in islice(listing, self._limits.listed):
            listed += 1
            self._after = one.key
            if self._is_fresh(one, whole=whole):
                self.fresh.append(one)
                if len(self.fresh) == self._limits.taken:
                    return
        self.is_over = listed < self._limits.listed

    def _is_fresh(self, one: Stored | Oddity, *, whole: bool) -> bool:
        if isinstance(one, Oddity):
            return True
        if self.cursor.floor is not None and one.modified < self.cursor.floor:
            return False
        self._newest = max(one.modified, self._newest or one.modified)
        name = _digest(one)
        if name in self._seen:
            return False
        if not whole and name not in self.cursor.growing_before:
            self._growing.add(name)
            return False
        self._seen[name] = one.modified.timestamp()
        return True

    def end(self) -> Cursor:
        """The cursor for the next look."""
        newest_last = sorted(self._seen.items(), key=lambda item: item[1])
        return self.cursor.model_copy(
            update={
                "after": "" if self.is_over else self._after,
                "newest": self._newest,
                "seen": dict(newest_last[-_MOST_SEEN:]),
                "growing": frozenset(self._growing),
            }
        )


def _next_sweep(cursor: Cursor) -> Cursor:
    """What came while the last sweep went on is newer than what was known when it began."""
    known = cursor.newest_before
    floor = None if known is None else known - OVERLAP
    return cursor.model_copy(
        update={
            "floor": floor,
            "newest_before": cursor.newest,
            "seen": {
                name: at
                for name, at in cursor.seen.items()
                if floor is None or at >= floor.timestamp()
            },
            "growing_before": cursor.growing,
            "growing": frozenset(),
        }
    )


def _digest(one: Stored) -> str:
    text = f"{one.key}\n{one.etag}".encode(errors="surrogateescape")
    return hashlib.sha256(text).hexdigest()[:16]


def batches(found: list[Found], size: int) -> Iterator[list[Found]]:
    """In the order of keys, so that a run has few tenants."""
    ordered = sorted(found, key=lambda one: one.recording)
    for first in range(0, len(ordered), size):
        yield ordered[first : first + size]


def batch_name(batch: Iterable[Found]) -> str:
    """The same for the same files in the same versions, and for no others."""
    lines = sorted(f"{one.recording.partition_key}\n{one.etag}" for one in batch)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
