"""`upkeep/notes/<name>.json`: how each kind of upkeep last ended, for the digest."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import read_or_remake

UPKEEP: Final = "upkeep/"
_NOTES: Final = f"{UPKEEP}notes/"


class UpkeepNote(BaseModel):
    """How one kind of upkeep last ended. headline: a sentence without anybody's words."""

    model_config = ConfigDict(frozen=True)

    name: str
    at: datetime
    headline: str
    ok: bool = True


def write_note(storage: Storage, note: UpkeepNote) -> None:
    """Write the note; it replaces the one before."""
    storage.write(f"{_NOTES}{note.name}.json", note.model_dump_json(indent=1).encode())


def read_note(storage: Storage, name: str) -> UpkeepNote | None:
    """How that upkeep last ended; None: never."""
    return read_or_remake(storage, f"{_NOTES}{name}.json", UpkeepNote)


def notes_between(storage: Storage, since: datetime, until: datetime) -> Iterator[UpkeepNote]:
    """The notes of a period, by name; since is exclusive, until inclusive."""
    for found in storage.list(_NOTES):
        name = found.key.removeprefix(_NOTES).removesuffix(".json")
        note = read_note(storage, name) if isinstance(found, StoredObject) else None
        if note is not None and since < note.at <= until:
            yield note
