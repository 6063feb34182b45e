"""The ledger in the bucket: Parquet files that are only ever added, read through DuckDB."""

import asyncio
import dataclasses
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from pipelines.billing.attempts import LedgerRow

from .storage.base import Storage, StorageError, Stored

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ATTEMPTS = "ledger/attempts/"
_GATHER_SECONDS = 0.2  # rows that end together share a file
_NO_FILES = "SELECT *, '' AS filename FROM ledger_files"
_FILES = """
    SELECT * FROM read_parquet(getvariable('paths'), union_by_name = true, filename = true,
                               hive_partitioning = false)
"""
# an attempt that was given up for lost and won all the same is done, whatever the clocks say
_ATTEMPTS_VIEW = """
    CREATE TEMP TABLE attempts AS SELECT * EXCLUDE (filename) FROM ({source})
    QUALIFY row_number() OVER (
        PARTITION BY attempt_id ORDER BY status = 'done' DESC, ended_at DESC, filename
    ) = 1
"""


class LedgerWriter:
    """Gathers rows of one run and flushes them, a file for each start date (UTC)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: list[tuple[LedgerRow, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def add(self, row: LedgerRow) -> None:
        """Returns when the row is in the bucket."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((row, written))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon())
        await written

    async def _flush_soon(self) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(write_rows, self._storage, [row for row, _ in batch])
            except Exception as error:  # noqa: BLE001  # every waiter hears of it
                _settle([future for _, future in batch], error)
            else:
                _settle([future for _, future in batch], None)


def _settle(futures: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():  # who waited for it was cancelled; its row is written all the same
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def write_rows(storage: Storage, rows: Sequence[LedgerRow]) -> list[str]:
    """One new file for each start date; the keys of the files."""
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s
    import pyarrow.parquet as pq  # noqa: PLC0415

    by_date: dict[str, list[LedgerRow]] = {}
    for row in rows:
        by_date.setdefault(f"{row.started_at.astimezone(UTC):%Y-%m-%d}", []).append(row)
    keys = []
    for date, of_date in by_date.items():
        table = pa.Table.from_pylist([dataclasses.asdict(row) for row in of_date], schema())
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        keys.append(f"{ATTEMPTS}date={date}/{uuid4().hex}.parquet")
        storage.write(keys[-1], buffer.getvalue())
    return keys


def schema() -> "pa.Schema":
    """Arrow types of a ledger row, in its order: seconds are float64, money is DECIMAL(18, 9)."""
    import pyarrow as pa  # noqa: PLC0415

    money, time = pa.decimal128(18, 9), pa.timestamp("us", tz="UTC")
    kinds = {"attempt": pa.int32(), "schema_version": pa.int32(), "rtf": pa.float64()}
    for name in (field.name for field in dataclasses.fields(LedgerRow)):
        if name.endswith("_seconds"):
            kinds[name] = pa.float64()
        elif "usd" in name:
            kinds[name] = money
        elif name.endswith("_at"):
            kinds[name] = time
        else:
            kinds.setdefault(name, pa.string())
    return pa.schema([(field.name, kinds[field.name]) for field in dataclasses.fields(LedgerRow)])


@contextmanager
def open_ledger(storage: Storage) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A DuckDB connection with the view `attempts`: each attempt once, the last word on it.

    Raises:
        StorageError: a file of the ledger is damaged; names its key.
    """
    import duckdb  # noqa: PLC0415

    with TemporaryDirectory(prefix="escriba-ledger-") as folder, duckdb.connect() as connection:
        local = dict(_local_files(storage, Path(folder)))
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("ledger_files", schema().empty_table())
        try:
            _read_files(connection, list(local))
        except duckdb.Error as error:
            raise _damaged(connection, local) from error
        yield connection


def lock_in(connection: "duckdb.DuckDBPyConnection") -> None:
    """From here on a query reaches the ledger alone: no file, no network, no setting."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _read_files(connection: "duckdb.DuckDBPyConnection", paths: list[Path]) -> None:
    connection.execute("SET VARIABLE paths = ?", [[str(path) for path in paths]])
    connection.execute(_ATTEMPTS_VIEW.format(source=_FILES if paths else _NO_FILES))


def _damaged(connection: "duckdb.DuckDBPyConnection", local: dict[Path, str]) -> StorageError:
    """What to say of files that cannot be read: each is tried alone, and the bad ones named."""
    keys = ", ".join(repr(key) for path, key in local.items() if not _is_sound(connection, path))
    return StorageError(
        f"The ledger's {keys or repr(ATTEMPTS)} cannot be read as Parquet: remove it, then "
        "`escriba costs --rebuild` writes its rows again."
    )


def _is_sound(connection: "duckdb.DuckDBPyConnection", path: Path) -> bool:
    import duckdb  # noqa: PLC0415

    try:
        _read_files(connection, [path])
        connection.execute("DROP TABLE attempts")
    except duckdb.Error:
        return False
    return True


def _local_files(storage: Storage, folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file of the ledger on this machine, and its key in the bucket."""
    for found in storage.list(ATTEMPTS):
        if isinstance(found, Stored) and found.key.endswith(".parquet"):
            data = storage.read(found.key)
            if data is not None:
                path = folder / f"{found.etag}-{found.key.rsplit('/', 1)[1]}"
                path.write_bytes(data)
                yield path, found.key
