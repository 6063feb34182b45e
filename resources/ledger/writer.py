"""Writing rows of the ledger into the bucket, as new Parquet files."""

import asyncio
import dataclasses
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from escriba.billing.ledger_rows import LedgerRow
from escriba.billing.worker_sessions import SessionRow
from resources.storage.base import Storage
from resources.storage.clock import utc_now

from .tables import LEDGER, Row, schema

_TABLE_OF = {table.kind: table for table in LEDGER}
_GATHER_SECONDS = 0.2  # rows that end together share a file


class LedgerWriter:
    """Collects the rows of a run and flushes them, one file per start date (UTC)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def add(self, row: LedgerRow, session: SessionRow | None = None) -> None:
        """Add a row and its worker session's row; returns when both are in the bucket."""
        rows: list[Row] = [row] if session is None else [row, session]
        written = [(one, asyncio.get_running_loop().create_future()) for one in rows]
        self._waiting.extend(written)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon())
        await asyncio.gather(*(future for _, future in written))

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
        if future.done():  # its waiter was cancelled; the row is written anyway
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def write_rows(storage: Storage, rows: Sequence[Row]) -> list[str]:
    """Write one new file per table and start date; returns the keys of the files."""
    by_place: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_place.setdefault(_place(row), []).append(row)
    return [_write(storage, *place, of_date) for place, of_date in by_place.items()]


def name_at(moment: datetime) -> str:
    """The beginning of the names of files that are written at a moment, which sort by time.

    They sort after the names of earlier versions, which are hexadecimal digits, and before those of
    compacted files.

    >>> name_at(datetime(2026, 3, 1, tzinfo=UTC))
    't019ca6b1dc00'
    """
    return f"t{round(moment.timestamp() * 1000):012x}"


def _place(row: Row) -> tuple[str, str]:
    """The folder of a row, and the UTC date on which its work or billing period began."""
    table = _TABLE_OF[type(row)]
    began: datetime = getattr(row, table.began)
    return table.folder, f"{began.astimezone(UTC):%Y-%m-%d}"


def _write(storage: Storage, folder: str, date: str, rows: Sequence[Row]) -> str:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s
    import pyarrow.parquet as pq  # noqa: PLC0415

    buffer = io.BytesIO()
    columns = schema(type(rows[0]))
    pq.write_table(pa.Table.from_pylist([dataclasses.asdict(row) for row in rows], columns), buffer)
    key = f"{folder}date={date}/{name_at(utc_now())}-{uuid4().hex}.parquet"
    storage.write(key, buffer.getvalue())
    return key
