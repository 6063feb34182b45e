"""Invoices of providers, as files, on their way into `ledger/invoices`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

from pipelines.billing.bills import aws, gcp, runpod
from pipelines.billing.bills.fields import Record
from pipelines.billing.currencies import ExchangeRates
from pipelines.billing.invoices import BilledLine, InvoiceError, invoice_rows
from pipelines.billing.prices import total
from resources.ledger_writer import write_rows
from resources.storage.base import Storage

from .reading import records

PARSERS: dict[str, ModuleType] = {"runpod": runpod, "aws": aws, "gcp": gcp}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How to read the files of one delivery.

    provider: empty: told by the columns. bucket: the length of RunPod's records. tag: only what
    carries it, (key, value); a bill holds more than transcription.
    """

    provider: str = ""
    bucket: str = "day"
    tag: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it."""

    rows: int
    left_out: int
    usd: Decimal
    backends: tuple[str, ...]


def import_invoices(
    storage: Storage,
    paths: Sequence[Path],
    rates: ExchangeRates,
    delivery: Delivery,
    now: datetime,
) -> Imported:
    """All files are one delivery: lines of one kind and time are added up, over all of them.

    Nothing is written unless every line can be read.

    Raises:
        InvoiceError: names the file and the line.
        ExchangeRateError: a currency has no rate at a line's time.
    """
    count = _Count()
    rows = list(invoice_rows(_lines(paths, delivery, count), rates, now))
    write_rows(storage, rows)
    return Imported(
        rows=len(rows),
        left_out=count.left_out,
        usd=total(row.amount_usd for row in rows),
        backends=tuple(sorted({row.backend for row in rows})),
    )


@dataclass
class _Count:
    left_out: int = 0


def _lines(paths: Sequence[Path], delivery: Delivery, count: _Count) -> Iterator[BilledLine]:
    for path in paths:
        for number, record in records(path):
            parser = _parser(path, number, record, delivery)
            if not _has_tag(parser, record, delivery.tag):
                count.left_out += 1
                continue
            try:
                yield from parser.lines(record, delivery.bucket)
            except (KeyError, TypeError, ValueError) as error:
                raise InvoiceError(f"{path.name}, line {number}: {error}") from error


def _parser(path: Path, number: int, record: Record, delivery: Delivery) -> ModuleType:
    if delivery.provider:
        return PARSERS[delivery.provider]
    for parser in PARSERS.values():
        if parser.is_mine(record):
            return parser
    raise InvoiceError(
        f"{path.name}, line {number}: its fields ({', '.join(list(record)[:6])} …) are of no bill "
        f"that is known: of {', '.join(PARSERS)}."
    )


def _has_tag(parser: ModuleType, record: Record, tag: tuple[str, str] | None) -> bool:
    if tag is None or not hasattr(parser, "tags"):
        return True
    return bool(parser.tags(record).get(tag[0]) == tag[1])
