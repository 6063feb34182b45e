"""The costs database: one DuckDB file, a cache of the bucket that any client may open.

Schema `ledger` is loaded (loading.py); staging, intermediate and marts are dbt's (building.py).
Where it is missing, of another shape or damaged it is made anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from filelock import FileLock, Timeout

from resources.ledger_tables import LEDGER, LedgerTable
from resources.ledger_writer import schema

if TYPE_CHECKING:
    import pyarrow as pa

_WAIT_SECONDS = 600
MEMORY_LIMIT = "2GB"
# load_id counts transactions; a day is touched by those that changed what it cost; a model is
# built up to one of them
_BESIDE = """
    CREATE TABLE IF NOT EXISTS ledger.loaded_files
        (key VARCHAR, load_id BIGINT, rows BIGINT, loaded_at TIMESTAMPTZ);
    CREATE TABLE IF NOT EXISTS ledger.touched_days (load_id BIGINT, day DATE);
    CREATE TABLE IF NOT EXISTS ledger.built (model VARCHAR, load_id BIGINT);
    CREATE TABLE IF NOT EXISTS ledger.project (digest VARCHAR);
    CREATE TABLE IF NOT EXISTS ledger.last_build (state VARCHAR);
    CREATE TABLE IF NOT EXISTS ledger.limits
        (scope VARCHAR, day_usd DECIMAL(18, 9), month_usd DECIMAL(18, 9));
"""


class CostsBusyError(RuntimeError):
    """Another program has the database; says what to do."""


@contextmanager
def costs_lock(path: Path) -> Iterator[None]:
    """One process at a time loads and builds; others wait.

    Raises:
        CostsBusyError: it takes too long.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=_WAIT_SECONDS):
            yield
    except Timeout as error:
        raise CostsBusyError(f"{path} is being built by another process: try again later.") from (
            error
        )


@contextmanager
def open_database(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may write, with the tables of the ledger; a database of old is replaced.

    Raises:
        CostsBusyError: another program has it open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not _fits(path):
        remove_database(path)
    with _connect(path) as connection:
        connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("CREATE SCHEMA IF NOT EXISTS ledger")
        for table in LEDGER:
            connection.execute(_create(table))
        connection.execute(_BESIDE)
        yield connection


def remove_database(path: Path) -> None:
    """With what DuckDB keeps beside it."""
    for one in (path, path.with_name(f"{path.name}.wal")):
        one.unlink(missing_ok=True)


def columns(table: LedgerTable) -> dict[str, str]:
    """Names and DuckDB types of a row."""
    return {field.name: _type(field.type) for field in schema(table.kind)}


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path))
    except duckdb.IOException as error:
        if "lock" in str(error).casefold():
            raise CostsBusyError(
                f"COSTS_DATABASE: {path} is open in another program: close it there, or wait."
            ) from error
        raise


def _fits(path: Path) -> bool:
    """Whether it can be opened and has the columns that this version writes."""
    try:
        with _connect(path) as connection:
            return all(_has(connection, table) for table in LEDGER)
    except duckdb.Error:
        return False


def _has(connection: duckdb.DuckDBPyConnection, table: LedgerTable) -> bool:
    found = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'ledger' AND table_name = ? ORDER BY column_index",
        [table.name],
    ).fetchall()
    return not found or dict(found) == columns(table) | {"load_id": "BIGINT"}


def _create(table: LedgerTable) -> str:
    fields = ", ".join(f"{name} {kind}" for name, kind in columns(table).items())
    return f"CREATE TABLE IF NOT EXISTS ledger.{table.name} ({fields}, load_id BIGINT)"


def _type(kind: "pa.DataType") -> str:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s

    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    names = {"string": "VARCHAR", "double": "DOUBLE", "int32": "INTEGER", "int64": "BIGINT"}
    return names.get(str(kind), "TIMESTAMP WITH TIME ZONE")
