"""Rows of the ledger on their way into the bucket: Parquet files that are only ever added."""

import asyncio
import dataclasses
import io
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING
from uuid import uuid4

from pipelines.billing.attempts import LedgerRow
from pipelines.billing.invoices import InvoiceRow
from pipelines.billing.sessions import SessionRow
from pipelines.billing.tags import TagRow

from .storage.base import Storage

if TYPE_CHECKING:
    import pyarrow as pa

ATTEMPTS, INSTANCES = "ledger/attempts/", "ledger/instances/"
INVOICES, TAGS = "ledger/invoices/", "ledger/tags/"
Row = LedgerRow | SessionRow | InvoiceRow | TagRow
_GATHER_SECONDS = 0.2  # rows that end together share a file


class LedgerWriter:
    """Gathers rows of one run and flushes them, a file for each start date (UTC)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def add(self, row: LedgerRow, session: SessionRow | None = None) -> None:
        """Returns when the row is in the bucket, and with it that of its worker's life."""
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
        if future.done():  # who waited for it was cancelled; its row is written all the same
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def write_rows(storage: Storage, rows: Sequence[Row]) -> list[str]:
    """One new file for each table and start date; the keys of the files."""
    by_place: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_place.setdefault(_place(row), []).append(row)
    return [_write(storage, *place, of_date) for place, of_date in by_place.items()]


def _place(row: Row) -> tuple[str, str]:
    """Its table, and the date (UTC) on which its work, or what was billed or said, began."""
    if isinstance(row, TagRow):
        return TAGS, f"{row.tagged_at.astimezone(UTC):%Y-%m-%d}"
    if isinstance(row, InvoiceRow):
        return INVOICES, f"{row.period_start.astimezone(UTC):%Y-%m-%d}"
    if isinstance(row, SessionRow):
        return INSTANCES, f"{row.job_started_at.astimezone(UTC):%Y-%m-%d}"
    return ATTEMPTS, f"{row.started_at.astimezone(UTC):%Y-%m-%d}"


def _write(storage: Storage, table: str, date: str, rows: Sequence[Row]) -> str:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s
    import pyarrow.parquet as pq  # noqa: PLC0415

    buffer = io.BytesIO()
    columns = schema(type(rows[0]))
    pq.write_table(pa.Table.from_pylist([dataclasses.asdict(row) for row in rows], columns), buffer)
    key = f"{table}date={date}/{uuid4().hex}.parquet"
    storage.write(key, buffer.getvalue())
    return key


def schema(kind: type[Row] = LedgerRow) -> "pa.Schema":
    """Arrow types of a row, in its order: seconds are float64, money is DECIMAL(18, 9)."""
    import pyarrow as pa  # noqa: PLC0415

    money, time = pa.decimal128(18, 9), pa.timestamp("us", tz="UTC")
    whole = ("attempt", "sequence", "segments", "warm_workers", "schema_version")
    kinds = {name: pa.int32() for name in whole}
    kinds["rtf"] = pa.float64()
    for name in (field.name for field in dataclasses.fields(kind)):
        if name.endswith("_seconds"):
            kinds[name] = pa.float64()
        elif name.endswith("_bytes"):
            kinds[name] = pa.int64()
        elif "usd" in name or name == "amount":
            kinds[name] = money
        elif name.endswith(("_at", "_start", "_end")):
            kinds[name] = time
        else:
            kinds.setdefault(name, pa.string())
    return pa.schema([(field.name, kinds[field.name]) for field in dataclasses.fields(kind)])
