"""Puts Dagster's records back. What is there is overwritten only if somebody says so."""

from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

from escriba.settings import Settings
from resources.backups import postgres_tools, sqlite_copies
from resources.backups.backup_error import BackupError
from resources.storage.base import Storage

from .manifest import Manifest
from .verify import downloaded, unpack


def restore(settings: Settings, place: Storage, manifest: Manifest, *, overwrite: bool) -> None:
    """Restore the database of a backup into the one of the settings.

    overwrite: replace records that are there. Nothing changes before all digests agree.

    Raises:
        BackupError: something is there and `overwrite` is False, others use it, the kinds differ,
            or the backup is damaged.
    """
    url = settings.dagster_postgres_url.get_secret_value()
    kind = "postgresql" if url else "sqlite"
    if manifest.database != kind:
        raise BackupError(
            f"Backup {manifest.name} is of {manifest.database}, but the settings say {kind}: set "
            "or remove DAGSTER_POSTGRES_URL."
        )
    if url:
        _check_postgres(url, overwrite=overwrite)
    else:
        _check_sqlite(settings.dagster_home, overwrite=overwrite)
    with downloaded(place, manifest) as database:
        if url:
            postgres_tools.restore(url, settings.postgres_tools, database)
        else:
            _put_back(settings.dagster_home, database)


def _check_postgres(url: str, *, overwrite: bool) -> None:
    if others := postgres_tools.other_connections(url):
        raise BackupError(
            f"{others} other connections use the database. Stop `escriba up` and all runs first."
        )
    if not overwrite and (tables := postgres_tools.rows_of(url)):
        raise BackupError(
            f"The database of DAGSTER_POSTGRES_URL has {len(tables)} tables already. Use an empty "
            "one, or replace it with --yes."
        )


def _check_sqlite(home: Path, *, overwrite: bool) -> None:
    if not overwrite and any(sqlite_copies.databases(home)):
        raise BackupError(
            f"{home} has records already. Set DAGSTER_HOME to a new folder, or replace them with "
            "--yes; the old ones are moved aside."
        )


def _put_back(home: Path, database: Path) -> None:
    """Move what is there aside, then unpack beside it and move that into place."""
    draft = home / ".restoring"
    rmtree(draft, ignore_errors=True)  # of a restore that was killed, perhaps of another backup
    aside = home / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    unpack(database, draft)
    sqlite_copies.check_databases(draft)
    for name in ("history", "schedules"):
        if (home / name).exists():
            aside.mkdir(parents=True, exist_ok=True)
            (home / name).rename(aside / name)
        if (draft / name).exists():
            (draft / name).rename(home / name)
    draft.rmdir()
