"""What a cleanup freed, counted after the store confirmed that each object is gone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from escriba.retention import KINDS, Kind
from resources.storage.base import Storage, StorageError, StoredObject

_MOST_TROUBLES = 20  # that are named; the others are counted
_WORDS: Mapping[Kind, str] = {
    "originals": "originals",
    "working_audio": "decoded audio files",
    "job_records": "job records",
    "metrics": "logs, digests and reports",
    "quarantine": "quarantine records",
    "temporary": "temporary files",
}


class Count(BaseModel):
    """Objects and their bytes."""

    model_config = ConfigDict(frozen=True)

    objects: int = 0
    size_bytes: int = 0


class Freed(BaseModel):
    """The result of one cleanup. is_dry_run: nothing was deleted.

    kept: originals and audio past their age that something still needs, or without a transcript.
    ends_at: where the next cleanup goes on; empty: everything was looked at.
    """

    model_config = ConfigDict(frozen=True)

    is_dry_run: bool
    freed: dict[str, Count]
    kept: int
    troubles: tuple[str, ...] = ()
    more_troubles: int = 0
    ends_at: str = ""

    @property
    def headline(self) -> str:
        """One line, for a log and the digest."""
        total = sum(one.size_bytes for one in self.freed.values())
        parts = [
            f"{self.freed[kind].objects:,} {_WORDS[kind]}"
            for kind in KINDS
            if kind in self.freed and self.freed[kind].objects
        ]
        done = "Cleanup would delete" if self.is_dry_run else "Cleanup deleted"
        what = f"{done} {', '.join(parts) or 'nothing'} ({total / 1e6:,.1f} MB)"
        kept = f"; {self.kept:,} past their age are still needed" if self.kept else ""
        failed = len(self.troubles) + self.more_troubles
        return what + kept + (f"; {failed:,} could not be deleted" if failed else "") + "."


def is_unchanged(current: StoredObject, listed: StoredObject) -> bool:
    """Whether nobody has written the object since it was listed.

    MinIO and GCS list a time in milliseconds and give whole seconds elsewhere; some stores list
    another ETag.
    """
    apart = abs(current.modified - listed.modified)
    return current.size_bytes == listed.size_bytes and apart < timedelta(seconds=1)


@dataclass
class Broom:
    """Deletes single objects and counts them. is_dry_run: only counts."""

    storage: Storage
    is_dry_run: bool
    on_object: Callable[[Kind, StoredObject], None] = lambda _kind, _found: None
    kept: int = 0
    _objects: dict[Kind, int] = field(default_factory=dict)
    _bytes: dict[Kind, int] = field(default_factory=dict)
    _troubles: list[str] = field(default_factory=list)
    _more_troubles: int = 0

    def delete(self, kind: Kind, found: StoredObject) -> None:
        """Delete one object; it counts once the store has it no more.

        It is asked for again just before: one that somebody has replaced since then stays.
        """
        if not self.is_dry_run:
            try:
                current = self.storage.head(found.key)
                if current is None:
                    return
                if not is_unchanged(current, found):
                    self.kept += 1
                    return
                self.storage.delete(found.key)
                if self.storage.head(found.key) is not None:
                    self.trouble(f"{found.key!r} is still there after it was deleted.")
                    return
            except StorageError as error:
                self.trouble(str(error))
                return
        self._objects[kind] = self._objects.get(kind, 0) + 1
        self._bytes[kind] = self._bytes.get(kind, 0) + found.size_bytes
        self.on_object(kind, found)

    def trouble(self, sentence: str) -> None:
        """Note what could not be deleted, or not be looked at."""
        if len(self._troubles) < _MOST_TROUBLES:
            self._troubles.append(sentence)
        else:
            self._more_troubles += 1

    def result(self, ends_at: str = "") -> Freed:
        """What was freed until now."""
        return Freed(
            is_dry_run=self.is_dry_run,
            freed=dict(self._counts()),
            kept=self.kept,
            troubles=tuple(self._troubles),
            more_troubles=self._more_troubles,
            ends_at=ends_at,
        )

    def _counts(self) -> Iterator[tuple[str, Count]]:
        for kind in KINDS:
            objects, size_bytes = self._objects.get(kind, 0), self._bytes.get(kind, 0)
            yield kind, Count(objects=objects, size_bytes=size_bytes)
