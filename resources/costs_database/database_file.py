"""The file at COSTS_DATABASE: missing, a costs database, a damaged one, or a foreign file.

A costs database may be recreated at any time, since the bucket has all its data. A foreign file is
never touched.
"""

import time
from pathlib import Path

import duckdb

from escriba.errors import EscribaError
from escriba.settings import SettingsError

PATIENCE_SECONDS = 15.0  # other programs usually hold it only for a query
_LOOK_SECONDS = 0.2
_MAGIC = b"DUCK"  # at byte 8: duckdb.org/docs/internals/storage
_DAMAGE = ("Corrupt database file", "Could not read enough bytes", "database has been invalidated")
_EVERYTHING = """
    SELECT schema_name || '.' || table_name FROM duckdb_tables()
        WHERE NOT internal AND NOT temporary
    UNION SELECT schema_name || '.' || view_name FROM duckdb_views()
        WHERE NOT internal AND NOT temporary
    UNION SELECT schema_name || '.' || sequence_name FROM duckdb_sequences() WHERE NOT temporary
    UNION SELECT schema_name || '.' || type_name FROM duckdb_types() WHERE NOT internal
    UNION SELECT schema_name || '.' || function_name FROM duckdb_functions() WHERE NOT internal
    UNION SELECT schema_name FROM duckdb_schemas() WHERE NOT internal
    ORDER BY 1
"""
_OURS = {f"ledger.{name}" for name in ("loaded_files", "touched_days", "built", "limits")}
_EMPTY = {"seeds", "staging", "intermediate", "marts"}  # dbt, run by hand, leaves these schemas
# DuckDB names a database after its file; these names are schemas in it, or DuckDB's own
_TAKEN = {"main", "system", "temp", "ledger", "seeds", "staging", "intermediate", "marts"}


class CostsBusyError(EscribaError, RuntimeError):
    """Another program has the database open; says what to do."""


class CostsNotBuiltError(EscribaError, RuntimeError):
    """A table does not exist yet; says how to create it."""


class CostsDamagedError(CostsNotBuiltError):
    """The costs database cannot be read; says what to do."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"COSTS_DATABASE: {path} is damaged. Remove it; the next load recreates it."
        )


def dbt_folder(path: Path) -> Path:
    """Dbt's working folder; if it exists, Escriba created the database file."""
    return path.with_name(f"{path.name}.dbt")


def make_folder(path: Path) -> None:
    """Create the folder of the database.

    Raises:
        SettingsError: it cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, f"its folder cannot be created ({error.strerror})") from error


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the database; waits some seconds while another program has it open.

    Raises:
        CostsBusyError: the other program keeps it open.
        CostsDamagedError: it is a damaged costs database.
        SettingsError: it is not a DuckDB database, or may not be opened.
    """
    _look_at(path)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.Error as error:
            if not _is_locked(error):
                raise _why_not(path, error) from error
            if time.monotonic() > until:
                raise CostsBusyError(
                    f"COSTS_DATABASE: {path} is open in another program. Close it there, or wait."
                ) from error
        time.sleep(_LOOK_SECONDS)


def is_damage(error: duckdb.Error) -> bool:
    """Whether a query failed because the file is damaged."""
    return tells_of_damage(str(error))


def tells_of_damage(text: str) -> bool:
    """The same for the text of an error from another process."""
    return any(words in text for words in _DAMAGE)


def check_is_ours(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Check that the database is empty or a costs database.

    Raises:
        SettingsError: it holds foreign tables.
    """
    found = [name for (name,) in connection.execute(_EVERYTHING).fetchall()]
    if not _EMPTY.issuperset(found) and not _OURS.issubset(found):
        raise _unusable(path, f"it has other tables than Escriba's ({', '.join(found[:3])})")


def remove(path: Path) -> None:
    """Remove the database, and the file that DuckDB keeps beside it."""
    for one in (path, path.with_name(f"{path.name}.wal")):
        one.unlink(missing_ok=True)


def _look_at(path: Path) -> None:
    """Refuse foreign files: DuckDB would open SQLite's too, and download an extension for them."""
    if path.stem.casefold() in _TAKEN:
        raise _unusable(path, f"DuckDB reserves the name {path.stem!r}")
    if path.is_dir():
        raise _unusable(path, "it is a folder")
    try:
        with path.open("rb") as file:
            header = file.read(12)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from error
    if header[8:] != _MAGIC:
        raise _damaged(path, "it is not a DuckDB database", is_empty=not header)


def _is_locked(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.IOException) and "lock on file" in str(error)


def _why_not(path: Path, error: duckdb.Error) -> Exception:
    if path.exists():
        return _damaged(path, f"DuckDB cannot open it ({str(error).splitlines()[0]})")
    return _unusable(path, "it cannot be created there")


def _damaged(path: Path, why: str, *, is_empty: bool = False) -> Exception:
    if is_empty or dbt_folder(path).is_dir():
        return CostsDamagedError(path)
    return _unusable(path, why)


def _unusable(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"COSTS_DATABASE: {path} is not used: {why}. Name a separate file for the costs."
    )
