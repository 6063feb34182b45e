"""What is new in the inbox since the last step: a set function over a listing and a cursor.

Sweeps list the inbox in key order, a bounded number of objects in each step. An object is taken
if it is not older than what earlier sweeps saw (by the store's own clock, with an overlap), was
not taken before and, in a folder, was the same one sweep earlier. "New" never means "not yet a
partition": a step that is repeated with the same cursor finds the same.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from pydantic import BaseModel, ConfigDict

from escriba.recordings import INBOX, Recording
from resources.storage.base import Storage, StoredObject, UnusableObject

from .inbox import RefusedObject, is_settled, judge_name

OVERLAP = timedelta(hours=1)  # clocks of a store differ, and listings lag
_MAX_SEEN = 50_000  # a cursor of 1.5 MB; a forgotten object is found done, or joins its own run
_READERS = 32


@dataclass(frozen=True)
class SweepLimits:
    """How much one step may do: a sensor tick has 60 s."""

    listed: int = 20_000
    taken: int = 2_000


class Cursor(BaseModel):
    """The position of the sweeps. Objects are kept as digests of key and ETag."""

    model_config = ConfigDict(frozen=True)

    version: int = 1
    after: str = ""  # the sweep continues after this key; empty: a new sweep starts
    floor: datetime | None = None  # earlier sweeps saw everything older
    newest_before: datetime | None = None  # the newest object seen before this sweep
    newest: datetime | None = None
    seen: dict[str, float] = {}  # digest -> modified, as a timestamp
    growing_before: frozenset[str] = frozenset()  # first seen in the last sweep
    growing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NewRecording:
    """A recording to process, in the version that is in the inbox now."""

    recording: Recording
    etag: str


@dataclass
class SweepResult:
    """What one step found; `more`: the sweep is not over."""

    found: list[NewRecording] = field(default_factory=list)
    refused: list[RefusedObject] = field(default_factory=list)
    cursor: Cursor = field(default_factory=Cursor)
    more: bool = False


def sweep_inbox(
    storage: Storage, cursor: Cursor, limits: SweepLimits = SweepLimits()
) -> SweepResult:  # frozen
    """The next step of the sweep.

    Raises:
        StorageError: the inbox cannot be listed; it is not taken for an empty inbox.
    """
    sweep = _Sweep(cursor if cursor.after else _next_sweep(cursor), limits)
    sweep.read(storage.list(INBOX, after=sweep.cursor.after), whole=storage.writes_appear_whole)
    judged = [judge_name(found) for found in sweep.fresh]
    refused = [what for _, what in judged if isinstance(what, RefusedObject)]
    stored = [
        (r, what.etag) for r, what in judged if r is not None and isinstance(what, StoredObject)
    ]
    with ThreadPoolExecutor(_READERS) as pool:
        settled = pool.map(lambda one: is_settled(storage, *one), stored)
        found = [NewRecording(*one) for one, over in zip(stored, settled, strict=True) if not over]
    return SweepResult(found, refused, sweep.end(), more=not sweep.is_over)


class _Sweep:
    """One step of a sweep while it reads the listing."""

    def __init__(self, cursor: Cursor, limits: SweepLimits) -> None:
        self.cursor, self._limits = cursor, limits
        self.fresh: list[StoredObject | UnusableObject] = []
        self.is_over = False
        self._after, self._newest = cursor.after, cursor.newest
        self._seen, self._growing = dict(cursor.seen), set(cursor.growing)

    def read(self, listing: Iterable[StoredObject | UnusableObject], *, whole: bool) -> None:
        """Collect fresh objects until a limit is reached.

        whole: the store shows an object only when its upload is complete.
        """
        listed = 0
        for found in islice(listing, self._limits.listed):
            listed += 1
            self._after = found.key
            if self._is_fresh(found, whole=whole):
                self.fresh.append(found)
                if len(self.fresh) == self._limits.taken:
                    return
        self.is_over = listed < self._limits.listed

    def _is_fresh(self, found: StoredObject | UnusableObject, *, whole: bool) -> bool:
        if isinstance(found, UnusableObject):
            return True
        if self.cursor.floor is not None and found.modified < self.cursor.floor:
            return False
        self._newest = max(found.modified, self._newest or found.modified)
        digest = _digest(found)
        if digest in self._seen:
            return False
        if not whole and digest not in self.cursor.growing_before:
            self._growing.add(digest)
            return False
        self._seen[digest] = found.modified.timestamp()
        return True

    def end(self) -> Cursor:
        """The cursor for the next step."""
        newest_last = sorted(self._seen.items(), key=lambda item: item[1])
        return self.cursor.model_copy(
            update={
                "after": "" if self.is_over else self._after,
                "newest": self._newest,
                "seen": dict(newest_last[-_MAX_SEEN:]),
                "growing": frozenset(self._growing),
            }
        )


def _next_sweep(cursor: Cursor) -> Cursor:
    """The cursor at the start of a new sweep.

    Objects that arrived during the last sweep are newer than what it knew when it started.
    """
    known = cursor.newest_before
    floor = None if known is None else known - OVERLAP
    return cursor.model_copy(
        update={
            "floor": floor,
            "newest_before": cursor.newest,
            "seen": {
                digest: at
                for digest, at in cursor.seen.items()
                if floor is None or at >= floor.timestamp()
            },
            "growing_before": cursor.growing,
            "growing": frozenset(),
        }
    )


def _digest(found: StoredObject) -> str:
    text = f"{found.key}\n{found.etag}".encode(errors="surrogateescape")
    return hashlib.sha256(text).hexdigest()[:16]


def batches(found: list[NewRecording], size: int) -> Iterator[list[NewRecording]]:
    """Batches of up to `size` in key order, so that a run has few tenants."""
    ordered = sorted(found, key=lambda new: new.recording)
    for first in range(0, len(ordered), size):
        yield ordered[first : first + size]


def batch_name(batch: Iterable[NewRecording]) -> str:
    """A name that identifies these files in these versions."""
    lines = sorted(f"{new.recording.partition_key}\n{new.etag}" for new in batch)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
