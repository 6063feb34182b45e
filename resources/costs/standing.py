"""What stands where the costs database is to be: nothing, ours, a damaged one, or another's file.

Ours may be made anew at any time, since the bucket has all of it. What is not known to be ours is
never touched.
"""

import time
from pathlib import Path

import duckdb

from pipelines.settings import SettingsError

PATIENCE_SECONDS = 15.0  # whoever has it open mostly only asks
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
_EMPTY = {"seeds", "staging", "intermediate", "marts"}  # what dbt by hand leaves where nothing is
# a database is called after its file, and one of these names is a schema of it, or DuckDB's own
_TAKEN = {"main", "system", "temp", "ledger", "seeds", "staging", "intermediate", "marts"}


class CostsBusyError(RuntimeError):
    """Another program has the database; says what to do."""


class CostsNotBuiltError(RuntimeError):
    """A table is not there yet; says how to make it."""


class CostsDamagedError(CostsNotBuiltError):
    """The database is ours and cannot be read; says what to do."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"COSTS_DATABASE: {path} is damaged: remove it; the next load makes it anew."
        )


def beside(path: Path) -> Path:
    """The folder that dbt works in; where it is, the file was made by us."""
    return path.with_name(f"{path.name}.dbt")


def make_folder(path: Path) -> None:
    """The folder of the database.

    Raises:
        SettingsError: there can be none.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, f"its folder cannot be made ({error.strerror})") from error


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Opened; where another program has it, after some seconds of waiting.

    Raises:
        CostsBusyError: the other program keeps it.
        CostsDamagedError: it was ours.
        SettingsError: it is no DuckDB database, or may not be opened.
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
                    f"COSTS_DATABASE: {path} is open in another program: close it there, or wait."
                ) from error
        time.sleep(_LOOK_SECONDS)


def is_damage(error: duckdb.Error) -> bool:
    """Whether a query failed because the file is damaged."""
    return tells_of_damage(str(error))


def tells_of_damage(text: str) -> bool:
    """The same of an error that another process repeats."""
    return any(words in text for words in _DAMAGE)


def hold_ours(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Nothing where the database is empty or ours.

    Raises:
        SettingsError: it holds anything of somebody else's.
    """
    found = [name for (name,) in connection.execute(_EVERYTHING).fetchall()]
    if not _EMPTY.issuperset(found) and not _OURS.issubset(found):
        raise _unusable(path, f"it holds what is not Escriba's ({', '.join(found[:3])})")


def remove(path: Path) -> None:
    """With what DuckDB keeps beside it."""
    for one in (path, path.with_name(f"{path.name}.wal")):
        one.unlink(missing_ok=True)


def _look_at(path: Path) -> None:
    """DuckDB would take SQLite's files too, and ask the network for what reads them."""
    if path.stem.casefold() in _TAKEN:
        raise _unusable(path, f"DuckDB has a meaning of its own for {path.stem!r}")
    if path.is_dir():
        raise _unusable(path, "it is a folder")
    try:
        with path.open("rb") as file:
            begins = file.read(12)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from error
    if begins[8:] != _MAGIC:
        raise _damaged(path, "it is no DuckDB database", is_nobodys=not begins)


def _is_locked(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.IOException) and "lock on file" in str(error)


def _why_not(path: Path, error: duckdb.Error) -> Exception:
    if path.exists():
        return _damaged(path, f"DuckDB cannot open it ({str(error).splitlines()[0]})")
    return _unusable(path, "it cannot be made there")


def _damaged(path: Path, why: str, *, is_nobodys: bool = False) -> Exception:
    if is_nobodys or beside(path).is_dir():
        return CostsDamagedError(path)
    return _unusable(path, why)


def _unusable(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"COSTS_DATABASE: {path} is left as it is, {why}: name a file of its own for the costs."
    )
