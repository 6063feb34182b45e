"""Which backup is the newest whole one: the bucket remembers it, wherever backups are kept."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from resources.storage.base import Storage
from resources.storage.read_documents import read_or_remake

NEWEST_BACKUP: Final = "upkeep/newest-backup.json"


class NewestBackup(BaseModel):
    """A backup that a restore has proved to be whole."""

    model_config = ConfigDict(frozen=True)

    name: str
    made_at: datetime


def note_newest_backup(storage: Storage, name: str, made_at: datetime) -> None:
    """Remember a backup that was checked; it replaces the one before."""
    body = NewestBackup(name=name, made_at=made_at).model_dump_json(indent=1)
    storage.write(NEWEST_BACKUP, body.encode())


def newest_backup(storage: Storage) -> datetime | None:
    """When the newest checked backup was made; None: there is none.

    Raises:
        StorageError: the bucket cannot be read.
    """
    found = read_or_remake(storage, NEWEST_BACKUP, NewestBackup)
    return found.made_at if found else None
