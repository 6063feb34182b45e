"""`backups/<time>/manifest.json`: written last, so that a backup without one is not whole."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final, Literal

from packaging.version import Version
from pydantic import BaseModel, ConfigDict, Field

from escriba.settings import Settings
from gpu_job.contract.documents import MEDIUM
from resources.backups.backup_error import BackupError, DamagedBackupError
from resources.storage import open_storage
from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import DamagedError, read_stored

BACKUPS: Final = "backups/"
FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database"  # a dump of PostgreSQL, or a tar of SQLite's files
SETTINGS: Final = "settings.env"
TENANTS: Final = "tenants.yaml"
_PIECE: Final = 1 << 20


class Part(BaseModel):
    """One object of a backup."""

    model_config = ConfigDict(frozen=True)

    size_bytes: Annotated[int, Field(ge=0)]
    sha256: str


class Manifest(BaseModel):
    """What a whole backup holds. rows: of each table of the database, in its snapshot."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    name: str
    escriba: str
    made_at: datetime
    database: Literal["postgresql", "sqlite"]
    bucket_url: str
    rows: dict[str, int]
    parts: dict[str, Part]


def backup_storage(settings: Settings) -> Storage:
    """Where backups are: BACKUP_URL, with the credentials of the bucket."""
    return open_storage(settings.model_copy(update={"storage_url": settings.backups_url}))


def part_key(name: str, part: str) -> str:
    """The key of a part of a backup."""
    return f"{BACKUPS}{name}/{part}"


def whole_backups(storage: Storage) -> Iterator[Manifest]:
    """All whole backups, oldest first; one with a damaged manifest is none."""
    for name in dict.fromkeys(_names(storage)):
        try:
            found = read_stored(storage, part_key(name, MANIFEST), Manifest, MEDIUM)
        except DamagedError:
            continue
        if found is not None and found.name == name:
            yield found


def find_backup(storage: Storage, name: str = "") -> Manifest:
    """The backup of that name, or the newest one.

    Raises:
        BackupError: there is none, or this version of Escriba cannot read it.
    """
    found = [one for one in whole_backups(storage) if name in {"", one.name}]
    if not found:
        what = f"no whole backup {name!r}" if name else "no whole backup"
        raise BackupError(f"There is {what} in {storage.url}. `escriba backup --list` lists them.")
    chosen = found[-1]
    if chosen.format > FORMAT or Version(chosen.escriba) > Version(version("escriba")):
        raise BackupError(
            f"Backup {chosen.name} was made by Escriba {chosen.escriba}, and this is "
            f"{version('escriba')}: install that version first."
        )
    return chosen


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def check_part(path: Path, manifest: Manifest, part: str) -> None:
    """Compare a downloaded part with the manifest.

    Raises:
        BackupError: it differs.
    """
    wanted = manifest.parts[part]
    if path.stat().st_size != wanted.size_bytes or digest(path) != wanted.sha256:
        raise DamagedBackupError(
            f"{part} of backup {manifest.name} is damaged: its digest differs. Use another backup."
        )


def _names(storage: Storage) -> Iterator[str]:
    for found in storage.list(BACKUPS):
        if isinstance(found, StoredObject):
            yield found.key.removeprefix(BACKUPS).partition("/")[0]
