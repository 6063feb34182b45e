"""The costs database: one DuckDB file, a cache of one bucket that any client may open.

Schema `ledger` is loaded (loading.py); staging, intermediate and marts are dbt's (building.py).
Where it is missing, of another shape or bucket, or damaged it is made anew (standing.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from filelock import FileLock, Timeout

from pipelines.settings import SettingsError
from resources.ledger_tables import LEDGER, LedgerTable
from resources.ledger_writer import schema

from .standing import (
    CostsBusyError,
    CostsDamagedError,
    beside,
    connect,
    hold_ours,
    make_folder,
    remove,
)

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
    CREATE TABLE IF NOT EXISTS ledger.builds (built_at TIMESTAMPTZ, why VARCHAR);
    CREATE TABLE IF NOT EXISTS ledger.bucket (url VARCHAR, is_synthetic BOOLEAN);
    CREATE TABLE IF NOT EXISTS ledger.tag_rules
        (tenant VARCHAR, place INTEGER, pattern VARCHAR, cost_center VARCHAR, project VARCHAR);
    CREATE TABLE IF NOT EXISTS ledger.limits
        (scope VARCHAR, day_usd DECIMAL(18, 9), month_usd DECIMAL(18, 9));
"""
_COLUMNS = """
    SELECT table_name, column_name, data_type FROM duckdb_columns()
    WHERE schema_name = 'ledger' ORDER BY table_name, column_index
"""


@contextmanager
def costs_lock(path: Path) -> Iterator[None]:
    """One process at a time loads and builds; others wait.

    Raises:
        CostsBusyError: it takes too long.
        SettingsError: nothing can be written there.
    """
    make_folder(path)
    lock = FileLock(f"{path}.lock", timeout=_WAIT_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise CostsBusyError(f"{path} is being built by another process: try again later.") from (
            error
        )
    except OSError as error:
        raise SettingsError(
            f"COSTS_DATABASE: nothing can be written beside {path} ({error.strerror})."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_database(path: Path, bucket: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may write, with the tables of the ledger.

    Ours of another version, of another bucket or damaged is replaced. bucket: its address, by
    whoever loads.

    Raises:
        CostsBusyError: another program has it open.
        SettingsError: the file is not ours, or none can be there.
    """
    make_folder(path)
    if path.exists() and not _fits(path, bucket):
        remove(path)
    beside(path).mkdir(exist_ok=True)
    with connect(path) as connection:
        connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY_LIMIT}'")
        connection.begin()  # tables without those that make them ours would be another's
        connection.execute("CREATE SCHEMA IF NOT EXISTS ledger")
        for table in LEDGER:
            connection.execute(_create(table))
        connection.execute(_BESIDE)
        connection.commit()
        yield connection


def bucket_of(connection: duckdb.DuckDBPyConnection) -> str:
    """The address of the bucket whose ledger it holds; empty where nothing was loaded."""
    found = connection.execute("SELECT url FROM ledger.bucket").fetchall()
    return str(found[0][0]) if found else ""


def columns(table: LedgerTable) -> dict[str, str]:
    """Names and DuckDB types of a row."""
    return {field.name: _type(field.type) for field in schema(table.kind)}


def _fits(path: Path, bucket: str) -> bool:
    """Whether it can be read, has the columns that this version writes, and is of the bucket."""
    try:
        with connect(path) as connection:
            hold_ours(connection, path)
            if not _has_shape(connection):
                return False
            return not bucket or bucket_of(connection) in {"", bucket}
    except (CostsDamagedError, duckdb.Error):
        return False


def _has_shape(connection: duckdb.DuckDBPyConnection) -> bool:
    """Of nothing, or of this version: the columns of the ledger, and of which bucket it is."""
    found: dict[str, dict[str, str]] = {}
    for name, column, kind in connection.execute(_COLUMNS).fetchall():
        found.setdefault(name, {})[column] = kind
    wanted = {table.name: columns(table) | {"load_id": "BIGINT"} for table in LEDGER}
    has_all = all(found.get(name, kinds) == kinds for name, kinds in wanted.items())
    return has_all and (not found or "bucket" in found)


def _create(table: LedgerTable) -> str:
    fields = ", ".join(f"{name} {kind}" for name, kind in columns(table).items())
    return f"CREATE TABLE IF NOT EXISTS ledger.{table.name} ({fields}, load_id BIGINT)"


def _type(kind: "pa.DataType") -> str:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s

    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    names = {"string": "VARCHAR", "double": "DOUBLE", "int32": "INTEGER", "int64": "BIGINT"}
    return names.get(str(kind), "TIMESTAMP WITH TIME ZONE")
