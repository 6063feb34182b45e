"""The costs database: one DuckDB file, a cache of one bucket that any client may open.

Schema `ledger` is loaded (load_ledger.py); staging, intermediate and marts are dbt's
(build_marts.py). If it is missing, damaged, of another version or of another bucket, it is
recreated (database_file.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from filelock import FileLock, Timeout

from escriba.settings import SettingsError
from resources.ledger.tables import LEDGER, LedgerTable, schema

from .database_file import (
    CostsBusyError,
    CostsDamagedError,
    check_is_ours,
    connect,
    dbt_folder,
    make_folder,
    remove,
)

if TYPE_CHECKING:
    import pyarrow as pa

_WAIT_SECONDS = 600
MEMORY_LIMIT = "2GB"
# load_id counts transactions; touched_days lists those that changed the cost of a day; a model is
# built up to one load_id
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
    """Let one process at a time load and build; others wait.

    Raises:
        CostsBusyError: the wait takes too long.
        SettingsError: the folder is not writable.
    """
    make_folder(path)
    lock = FileLock(f"{path}.lock", timeout=_WAIT_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise CostsBusyError(
            f"COSTS_DATABASE: another process is building {path}. Try again later."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"COSTS_DATABASE: the folder of {path} is not writable ({error.strerror}). Correct "
            "its permissions, or name another file."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_database(path: Path, bucket: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may write, with the tables of the ledger.

    A costs database that is damaged, of another version or of another bucket is recreated. bucket:
    the bucket's URL, given by a load.

    Raises:
        CostsBusyError: another program has it open.
        SettingsError: the file is foreign, or cannot be created.
    """
    make_folder(path)
    if path.exists() and not _fits(path, bucket):
        remove(path)
    dbt_folder(path).mkdir(exist_ok=True)
    with connect(path) as connection:
        connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY_LIMIT}'")
        connection.begin()  # all or nothing: a part of the tables would look like a foreign file
        connection.execute("CREATE SCHEMA IF NOT EXISTS ledger")
        for table in LEDGER:
            connection.execute(_create(table))
        connection.execute(_BESIDE)
        connection.commit()
        yield connection


def bucket_of(connection: duckdb.DuckDBPyConnection) -> str:
    """The URL of the bucket of its ledger; empty if nothing is loaded."""
    found = connection.execute("SELECT url FROM ledger.bucket").fetchall()
    return str(found[0][0]) if found else ""


def columns(table: LedgerTable) -> dict[str, str]:
    """The names and DuckDB types of a table's columns."""
    return {field.name: _type(field.type) for field in schema(table.kind)}


def _fits(path: Path, bucket: str) -> bool:
    """Whether it is readable, has the columns of this version, and belongs to the bucket."""
    try:
        with connect(path) as connection:
            check_is_ours(connection, path)
            if not _has_shape(connection):
                return False
            return not bucket or bucket_of(connection) in {"", bucket}
    except (CostsDamagedError, duckdb.Error):
        return False


def _has_shape(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether it is empty, or has this version's ledger columns and names its bucket."""
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
    names["bool"] = "BOOLEAN"
    return names.get(str(kind), "TIMESTAMP WITH TIME ZONE")
