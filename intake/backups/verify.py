"""Restores a backup into a scratch database and compares every table's rows."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from escriba.settings import Settings
from resources.backups import postgres_tools, sqlite_copies
from resources.backups.backup_error import BackupError, DamagedBackupError
from resources.storage.base import Storage

from .manifest import DATABASE, Manifest, check_part, part_key


def verify(settings: Settings, place: Storage, manifest: Manifest) -> None:
    """Restore every table into a scratch database, which is dropped afterwards.

    Raises:
        BackupError: a digest or a number of rows differs, or there is no server to restore into.
    """
    with downloaded(place, manifest) as database:
        rows = _restored_rows(settings, manifest, database)
    if rows != manifest.rows:
        names = sorted(n for n in {*rows, *manifest.rows} if rows.get(n) != manifest.rows.get(n))
        raise DamagedBackupError(
            f"Backup {manifest.name} differs from the database after a restore, in {names[0]}. "
            "Make a new one."
        )


@contextmanager
def downloaded(place: Storage, manifest: Manifest) -> Iterator[Path]:
    """The database's part as a file, with its digest checked; all other parts are checked, too.

    Raises:
        BackupError: a part is missing or differs.
    """
    with TemporaryDirectory(prefix="escriba-restore-", dir=place.scratch()) as folder:
        for part in sorted(manifest.parts, key=lambda one: one == DATABASE):
            try:
                with place.local_copy(part_key(manifest.name, part), Path(folder)) as path:
                    check_part(path, manifest, part)
                    if part == DATABASE:
                        yield path
            except FileNotFoundError:
                raise BackupError(f"{part} of backup {manifest.name} is missing.") from None


def unpack(database: Path, into: Path) -> None:
    """Unpack SQLite's files; no member can leave the folder."""
    with tarfile.open(database, "r:gz") as tar:
        tar.extractall(into, filter="data")


def _restored_rows(settings: Settings, manifest: Manifest, database: Path) -> dict[str, int]:
    if manifest.database == "sqlite":
        with TemporaryDirectory(prefix="escriba-verify-") as folder:
            unpack(database, Path(folder))
            return sqlite_copies.check_databases(Path(folder))
    url = settings.dagster_postgres_url.get_secret_value()
    if not url:
        raise BackupError("The backup is PostgreSQL's: set DAGSTER_POSTGRES_URL to its server.")
    with postgres_tools.scratch_database(url) as scratch:
        postgres_tools.restore(scratch, settings.postgres_tools, database)
        return postgres_tools.rows_of(scratch)
