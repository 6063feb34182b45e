"""SQLite databases below DAGSTER_HOME: copied while others write, checked, and put back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from .backup_error import BackupError, DamagedBackupError


def databases(home: Path) -> Iterator[Path]:
    """Dagster's databases, relative to its folder."""
    for folder in ("history", "schedules"):
        yield from sorted(found.relative_to(home) for found in (home / folder).rglob("*.db"))


def copy_databases(home: Path, into: Path) -> dict[str, int]:
    """Copy each database as one snapshot; returns the rows of each table.

    Raises:
        BackupError: one of them cannot be read.
    """
    rows: dict[str, int] = {}
    for name in databases(home):
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (
                closing(_opened(home / name, "rw")) as source,
                closing(sqlite3.connect(target)) as copy,
            ):
                source.backup(copy)
                rows |= {f"{name}:{table}": n for table, n in _rows(copy).items()}
        except sqlite3.Error as error:
            if not (home / name).exists():  # its run was deleted meanwhile
                continue
            raise BackupError(f"{home / name} cannot be copied: {error}.") from error
    return rows


def check_databases(home: Path) -> dict[str, int]:
    """The rows of each table, after SQLite's own check of each database.

    Raises:
        BackupError: one of them is damaged.
    """
    rows: dict[str, int] = {}
    for name in databases(home):
        try:
            with closing(_opened(home / name, "ro")) as database:
                [(answer,)] = database.execute("PRAGMA integrity_check(1)").fetchall()
                rows |= {f"{name}:{table}": n for table, n in _rows(database).items()}
        except sqlite3.Error as error:
            raise DamagedBackupError(f"The copy of {name} is damaged: {error}.") from error
        if answer != "ok":
            raise DamagedBackupError(f"The copy of {name} is damaged: {answer}.")
    return rows


def care(home: Path) -> None:
    """VACUUM and ANALYZE each database; one that is in use now is left as it is.

    Raises:
        BackupError: one of them cannot be used.
    """
    for name in databases(home):
        try:
            with closing(_opened(home / name, "rw")) as database:
                database.isolation_level = None
                database.execute("ANALYZE")
                database.execute("VACUUM")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and (home / name).exists():
                raise BackupError(f"{home / name} cannot be compacted: {error}.") from error
        except sqlite3.Error as error:
            raise BackupError(f"{home / name} cannot be compacted: {error}.") from error


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    """A database that is there; SQLite itself would make an empty one of a missing file.

    Raises:
        sqlite3.OperationalError: the file is missing, or no file.
    """
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)


def _rows(database: sqlite3.Connection) -> dict[str, int]:
    tables = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "ORDER BY name"
    ).fetchall()
    return {
        name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  # of its own catalogue
        for (name,) in tables
    }
