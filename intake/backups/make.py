"""Makes a backup, checks it by a restore, and deletes those that are past their age."""

import re
import tarfile
from collections import defaultdict
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from escriba.settings import Settings
from intake.upkeep_notes import UpkeepNote, write_note
from resources.backups import postgres_tools, sqlite_copies
from resources.backups.backup_error import DamagedBackupError
from resources.backups.newest_backup import note_newest_backup
from resources.storage.base import Storage, StoredObject

from .manifest import (
    BACKUPS,
    DATABASE,
    MANIFEST,
    SETTINGS,
    TENANTS,
    Manifest,
    Part,
    backup_storage,
    digest,
    part_key,
    whole_backups,
)
from .plain_settings import plain_settings
from .verify import verify

NAME: Final = "backup"
_HALF_MADE: Final = timedelta(days=1)  # no backup takes longer
_OURS: Final = re.compile(
    rf"{BACKUPS}(\d{{8}}T\d{{6}}Z)/"
    f"({'|'.join(map(re.escape, (DATABASE, SETTINGS, TENANTS, MANIFEST)))})"
)


def back_up(settings: Settings, bucket: Storage, now: datetime) -> Manifest:
    """Make a backup and check it; only then older ones are deleted.

    Raises:
        BackupError: it could not be made, or its restored copy differs.
        StorageError: the place of the backups does not answer.
    """
    place, name = backup_storage(settings), f"{now:%Y%m%dT%H%M%SZ}"
    with TemporaryDirectory(prefix="escriba-backup-", dir=place.scratch()) as folder:
        manifest = _made(settings, place, name, now, Path(folder))
    try:
        verify(settings, place, manifest)
    except DamagedBackupError:
        place.delete(part_key(name, MANIFEST))  # or it would be the newest one, and be restored
        raise
    deleted = delete_old(place, now, settings.backups_days)
    megabytes = sum(part.size_bytes for part in manifest.parts.values()) / 1e6
    headline = (
        f"Backup {name}: {sum(manifest.rows.values()):,} rows of Dagster's records "
        f"({manifest.database}, {megabytes:,.1f} MB), checked by a restore; "
        f"{deleted} older deleted."
    )
    note_newest_backup(bucket, name, now)
    write_note(bucket, UpkeepNote(name=NAME, at=now, headline=headline))
    return manifest


def note_failed(bucket: Storage, now: datetime) -> None:
    """Note for the digest that there is no new backup; the run has the reason."""
    headline = "The backup failed: `backup_job` in Dagster's UI, or `escriba backup`, says why."
    write_note(bucket, UpkeepNote(name=NAME, at=now, headline=headline, ok=False))


def _made(settings: Settings, place: Storage, name: str, now: datetime, folder: Path) -> Manifest:
    """Upload all parts, then the manifest."""
    url = settings.dagster_postgres_url.get_secret_value()
    database = folder / DATABASE
    if url:
        rows = postgres_tools.dump(url, settings.postgres_tools, database)
    else:
        rows = _tar(settings.dagster_home, folder / "sqlite", database)
    (folder / SETTINGS).write_text(plain_settings(settings), encoding="utf-8")
    parts = [database, folder / SETTINGS]
    if settings.tenants_file.is_file():
        (folder / TENANTS).write_bytes(settings.tenants_file.read_bytes())
        parts.append(folder / TENANTS)
    manifest = Manifest(
        name=name,
        escriba=version("escriba"),
        made_at=now,
        database="postgresql" if url else "sqlite",
        bucket_url=settings.bucket_url,
        rows=rows,
        parts={one.name: Part(size_bytes=one.stat().st_size, sha256=digest(one)) for one in parts},
    )
    for part in parts:
        place.upload(part_key(name, part.name), part)
    place.write(part_key(name, MANIFEST), manifest.model_dump_json(indent=1).encode())
    return manifest


def _tar(home: Path, copies: Path, into: Path) -> dict[str, int]:
    copies.mkdir()
    rows = sqlite_copies.copy_databases(home, copies)
    with tarfile.open(into, "w:gz") as tar:
        for name in sqlite_copies.databases(copies):
            tar.add(copies / name, arcname=str(name))
    return rows


def delete_old(place: Storage, now: datetime, days: int) -> int:
    """Delete backups past their age and half-made ones; the newest whole one stays.

    So does one with a manifest that cannot be read, which may be of a newer version, and whatever
    else lies in `backups/`: the bucket may be shared. The manifest goes first, so that a kill
    leaves a half-made backup.

    days: 0: keep all. Returns the number of whole backups that were deleted.
    """
    whole = list(whole_backups(place))
    old = {one.name for one in whole[:-1] if days and now - one.made_at > timedelta(days=days)}
    for name, parts in _parts(place).items():
        is_half_made = MANIFEST not in parts and all(
            now - one.modified > _HALF_MADE for one in parts.values()
        )
        if name in old or is_half_made:
            for part in sorted(parts, key=lambda part: part != MANIFEST):
                place.delete(parts[part].key)
    return len(old)


def _parts(place: Storage) -> dict[str, dict[str, StoredObject]]:
    """The objects of each backup, by its name and theirs."""
    found = defaultdict[str, dict[str, StoredObject]](dict)
    for one in place.list(BACKUPS):
        match = _OURS.fullmatch(one.key)
        if match is not None and isinstance(one, StoredObject):
            found[match[1]][match[2]] = one
    return found
