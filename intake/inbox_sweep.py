"""What is new in the inbox since the last step: a set function over a listing and a cursor.

Sweeps list the inbox in key order, a bounded number of objects in each step. An object is taken if
no record says that it is done, and no earlier step took it; in a folder, if it was the same one
sweep earlier. No clock decides: a store may keep the time that a client gives, years old or ahead.

The cursor is small because neighbours are kept as one digest: a block of about 64 keys and ETags
that have all been taken. When a block changes, the records of its objects are read again. "New"
never means "not yet a partition": a step that is repeated with the same cursor finds the same.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from pydantic import BaseModel, ConfigDict

from escriba.recordings import INBOX, Recording
from resources.storage.base import Storage, StoredObject, UnusableObject

from .inbox import RefusedObject, is_settled, judge_name

_BLOCK = 64  # objects, on average; a key ends its block wherever it is in the inbox
_LARGEST_BLOCK = 512
_MAX_SEEN = 50_000  # a cursor of 1.5 MB; a forgotten object is found done, or joins its own run
_SEEN_SWEEPS = 20_000  # a week of sweeps, after which an object that was taken is forgotten
_READERS = 32


@dataclass(frozen=True)
class SweepLimits:
    """How much one step may do: a sensor tick has 60 s."""

    listed: int = 20_000
    taken: int = 2_000
    checked: int = 8_000  # whether they are done: two requests each, 32 at once


class Cursor(BaseModel):
    """The position of the sweeps. Objects are kept as digests of key and ETag."""

    model_config = ConfigDict(frozen=True)

    version: Literal[2] = 2  # one of another version is refused, and the sweeps begin again
    after: str = ""  # the sweep continues after this key; empty: a new sweep starts
    sweeps: int = 0  # how many have begun
    known_before: frozenset[str] = frozenset()  # blocks without anything new in the last sweep
    known: frozenset[str] = frozenset()
    seen: dict[str, float] = {}  # digest -> the sweep that took it; the last ones
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
    with ThreadPoolExecutor(_READERS) as pool:
        begun = cursor if cursor.after else _next_sweep(cursor)
        sweep = _Sweep(begun, limits, lambda candidates: _judged(storage, pool, candidates))
        sweep.read(storage.list(INBOX, after=begun.after), whole=storage.writes_appear_whole)
    found = [what for what in sweep.fresh if isinstance(what, NewRecording)]
    refused = [what for what in sweep.fresh if isinstance(what, RefusedObject)]
    taken = (_digest(new.recording.inbox_key, new.etag) for new in found)
    return SweepResult(found, refused, sweep.end(taken), more=not sweep.is_over)


Listed = StoredObject | UnusableObject
Fresh = NewRecording | RefusedObject
Judge = Callable[[list[Listed]], list[Fresh | None]]  # None: it is done, or left out


def _judged(
    storage: Storage, pool: ThreadPoolExecutor, candidates: list[Listed]
) -> list[Fresh | None]:
    def judge(found: Listed) -> Fresh | None:
        recording, what = judge_name(found)
        if recording is None or not isinstance(what, StoredObject):
            return what if isinstance(what, RefusedObject) else None
        new = NewRecording(recording, what.etag)
        return None if is_settled(storage, recording, what.etag) else new

    return list(pool.map(judge, candidates))


class _Sweep:
    """One step of a sweep while it reads the listing."""

    def __init__(self, cursor: Cursor, limits: SweepLimits, judge: Judge) -> None:
        self.cursor, self._limits, self._judge = cursor, limits, judge
        self.fresh: list[Fresh] = []
        self.is_over = False
        self._checked = 0
        self._after = cursor.after
        self._known, self._growing = set(cursor.known), set(cursor.growing)

    def read(self, listing: Iterable[Listed], *, whole: bool) -> None:
        """Collect fresh objects until a limit is reached.

        whole: the store shows an object only when its upload is complete.
        """
        listed, block = 0, list[Listed]()
        for found in islice(listing, self._limits.listed):
            listed += 1
            block.append(found)
            if _ends_block(found.key) or len(block) == _LARGEST_BLOCK:
                if not self._add(block, whole=whole):
                    return
                block = []
        if self._add(block, whole=whole):
            self.is_over = listed < self._limits.listed

    def _add(self, block: list[Listed], *, whole: bool) -> bool:
        """Collect what is fresh in a block; False if a limit is reached.

        What comes after that object belongs to the next step, as a block of its own.
        """
        digests = [_digest(one.key, _etag(one)) for one in block]
        if _name(digests) in self.cursor.known_before | self._known:
            self._pass(block[-1].key, digests, is_known=True)
            return True
        complete = [
            self._is_whole(found, digest, whole=whole)
            for found, digest in zip(block, digests, strict=True)
        ]
        judged = self._judged(block, digests, complete)
        for place, fresh in judged.items():
            if fresh is not None:
                self.fresh.append(fresh)
            if len(self.fresh) == self._limits.taken:
                end = place + 1
                self._pass(block[place].key, digests[:end], is_known=all(complete[:end]))
                return False
        if block:
            self._pass(block[-1].key, digests, is_known=all(complete))
        return self._checked < self._limits.checked

    def _judged(
        self, block: list[Listed], digests: list[str], complete: list[bool]
    ) -> dict[int, Fresh | None]:
        """What the objects that nobody has taken are, by their places in the block."""
        places = [
            place
            for place, digest in enumerate(digests)
            if complete[place] and digest not in self.cursor.seen
        ]
        self._checked += len(places)
        return dict(zip(places, self._judge([block[place] for place in places]), strict=True))

    def _is_whole(self, found: Listed, digest: str, *, whole: bool) -> bool:
        """Whether an object no longer grows; one that may is looked at again in the next sweep."""
        if whole or isinstance(found, UnusableObject) or digest in self.cursor.seen:
            return True
        if digest in self.cursor.growing_before:
            return True
        self._growing.add(digest)
        return False

    def _pass(self, last_key: str, digests: list[str], *, is_known: bool) -> None:
        """Go on behind a block; remember it if nothing in it is left to be taken."""
        self._after = last_key
        if is_known:
            self._known.add(_name(digests))

    def end(self, taken: Iterable[str]) -> Cursor:
        """The cursor for the next step. taken: the digests of what this one found."""
        now = self.cursor.sweeps
        kept = {one: at for one, at in self.cursor.seen.items() if now - at < _SEEN_SWEEPS}
        kept |= dict.fromkeys(taken, now)
        return self.cursor.model_copy(
            update={
                "after": "" if self.is_over else self._after,
                "known": frozenset(self._known),
                "seen": dict(list(kept.items())[-_MAX_SEEN:]),
                "growing": frozenset(self._growing),
            }
        )


def _next_sweep(cursor: Cursor) -> Cursor:
    """The cursor at the start of a new sweep."""
    return cursor.model_copy(
        update={
            "sweeps": cursor.sweeps + 1,
            "known_before": cursor.known,
            "known": frozenset(),
            "growing_before": cursor.growing,
            "growing": frozenset(),
        }
    )


def _etag(found: Listed) -> str:
    return found.etag if isinstance(found, StoredObject) else ""


def _digest(key: str, etag: str) -> str:
    return _hash(f"{key}\n{etag}")


def _name(digests: list[str]) -> str:
    return _hash("".join(digests))


def _ends_block(key: str) -> bool:
    """The same for a key whatever is around it: a new one changes the block that it falls into."""
    return int(_hash(key), 16) % _BLOCK == 0


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def batches(found: list[NewRecording], size: int) -> Iterator[list[NewRecording]]:
    """Batches of up to `size` in key order, so that a run has few tenants."""
    ordered = sorted(found, key=lambda new: new.recording)
    for first in range(0, len(ordered), size):
        yield ordered[first : first + size]


def batch_name(batch: Iterable[NewRecording]) -> str:
    """A name that identifies these files in these versions."""
    lines = sorted(f"{new.recording.partition_key}\n{new.etag}" for new in batch)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
