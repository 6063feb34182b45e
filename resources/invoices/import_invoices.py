"""Importing invoice files of providers into `ledger/invoices`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

from escriba.billing.bill_deliveries import BillDelivery as Taken
from escriba.billing.bill_deliveries import with_fingerprints
from escriba.billing.bill_overlaps import refuse_overlaps
from escriba.billing.bills import aws, gcp, runpod
from escriba.billing.bills.fields import Record
from escriba.billing.exchange_rates import ExchangeRates
from escriba.billing.invoice_rows import (
    BilledLine,
    InvoiceError,
    InvoiceRow,
    check_line,
    invoice_rows,
    sums_by_row_id,
)
from escriba.billing.price_book import total
from resources.ledger.writer import write_rows
from resources.storage.base import Storage

from .current_rows import rows_between
from .deliveries import DeliveryFiles, ImportResult
from .delivery_log import read_deliveries, record_delivery
from .place_rows import PlacedBill, Placement, placed, rows_of_bill
from .read_records import records

__all__ = ["PARSERS", "DeliveryFiles", "ImportResult", "import_invoices"]
PARSERS: dict[str, ModuleType] = {"runpod": runpod, "aws": aws, "gcp": gcp}
_ALONE = {one.BACKEND for one in PARSERS.values() if getattr(one, "ONE_AT_A_TIME", False)}
_CORRECTING = {one.BACKEND for one in PARSERS.values() if getattr(one, "MAY_CORRECT", False)}
_BILL_REACH_DAYS = 400  # a bill may have lines of much earlier use, and its deliveries differ
_REACH_DAYS = 31  # how long before a line an overlapping one may begin
# errors of a parser that meets unexpected values in a provider's file
_MISREAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def import_invoices(
    storage: Storage,
    paths: Sequence[Path],
    rates: ExchangeRates,
    delivery: DeliveryFiles,
    now: datetime,
) -> ImportResult:
    """Import files that are one delivery, or a part of an earlier one (deliveries.py).

    Nothing is written unless every line can be read.

    Raises:
        InvoiceError: names the file and the line; or it is unclear what the files are.
        ExchangeRateError: a currency has no rate at a line's time; names file and line.
        StorageError: a file of the ledger is damaged.
    """
    _refuse_twins(paths)
    seen = _Seen()
    lines = list(with_fingerprints(_lines(paths, delivery, now, seen)))
    current = _current_rows(storage, lines)
    alone = [line for line in sums_by_row_id(lines).values() if line.backend in _ALONE]
    refuse_overlaps(alone, [row for row in current.values() if row.withdrawn_at is None])
    bills = _bills(lines, seen.only_grow)
    taken = [read_deliveries(storage, bill.backend, bill.name) for bill in bills]
    done = []
    for bill, before in zip(bills, taken, strict=True):
        known = rows_of_bill(current.values(), bill.backend, bill.name)
        done.append(placed(bill, known, before, rates=rates, now=now, wish=delivery.wish))
    write_rows(storage, [row for one in done for row in one.write])
    for bill, one, before in zip(bills, done, taken, strict=True):
        _note(storage, bill, one, before, now)
    return _result(bills, done, seen, rates, now)


def _note(
    storage: Storage, bill: PlacedBill, done: Placement, before: tuple[Taken, ...], now: datetime
) -> None:
    if bill.is_by_line or done.verdict == "replaced":
        return
    files = bill.came().digests()
    is_new = done.verdict == "whole"
    record_delivery(
        storage, bill.backend, bill.name, before=before, files=files, now=now, is_new=is_new
    )


def _result(
    bills: Sequence[PlacedBill],
    done: Sequence[Placement],
    seen: "_Seen",
    rates: ExchangeRates,
    now: datetime,
) -> ImportResult:
    stood = [one.stood_usd for one in done if one.stood_usd is not None]
    rows = [row for bill in bills for row in invoice_rows(sums_by_row_id(bill.lines), rates, now)]
    return ImportResult(
        new=sum(one.new for one in done),
        replaced=sum(one.replaced for one in done),
        unchanged=sum(one.unchanged for one in done),
        left_out=seen.left_out,
        empty=tuple(seen.empty),
        usd=total(row.amount_usd for row in rows),
        backends=tuple(sorted({bill.backend for bill in bills})),
        gone=sum(one.gone for one in done),
        gone_usd=total(one.gone_usd for one in done),
        stood_usd=total(stood) if stood else None,
        superseded=tuple(
            bill.name for bill, one in zip(bills, done, strict=True) if one.verdict == "replaced"
        ),
        beside=tuple(sorted({name for one in done for name in one.beside})),
        rate_sources=tuple(sorted({source for one in done for source in one.rate_sources})),
    )


def _current_rows(storage: Storage, lines: Sequence[BilledLine]) -> dict[str, InvoiceRow]:
    """The ledger's rows of the bills of these lines, and of bills that may overlap them."""
    if not lines:
        return {}
    is_alone = all(line.backend in _ALONE for line in lines)
    reach = timedelta(days=_REACH_DAYS if is_alone else _BILL_REACH_DAYS)
    first = min(line.period_start for line in lines) - reach
    last = max(max(line.period_start, line.period_end) for line in lines)
    return rows_between(storage, first.date(), (last + timedelta(days=_REACH_DAYS)).date())


def _bills(lines: Sequence[BilledLine], only_grow: set[str]) -> list[PlacedBill]:
    by_bill: dict[tuple[str, str], list[BilledLine]] = {}
    for line in lines:
        name = "" if line.backend in _ALONE else line.bill  # there a line is a bill of its own
        by_bill.setdefault((line.backend, name), []).append(line)
    return [
        PlacedBill(
            backend,
            name,
            tuple(of_bill),
            only_grows=name in only_grow,
            may_correct=backend in _CORRECTING,
            is_by_line=backend in _ALONE,
        )
        for (backend, name), of_bill in by_bill.items()
    ]


def _refuse_twins(paths: Sequence[Path]) -> None:
    """Refuse a file that is given twice: its lines would be added up."""
    for path, times in Counter(path.resolve() for path in paths).items():
        if times > 1:
            raise InvoiceError(f"{path.name} is given {times} times. Give each file once.")


@dataclass
class _Seen:
    """Findings during the import. only_grow: bills with a time of writing in every line."""

    left_out: int = 0
    empty: list[str] = field(default_factory=list)
    only_grow: set[str] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)

    def note(self, line: BilledLine, *, only_grows: bool) -> None:
        """A line without that time makes its bill one that may be corrected."""
        if only_grows and line.bill not in self.corrected:
            self.only_grow.add(line.bill)
        else:
            self.only_grow.discard(line.bill)
            self.corrected.add(line.bill)


def _lines(
    paths: Sequence[Path], delivery: DeliveryFiles, now: datetime, seen: _Seen
) -> Iterator[BilledLine]:
    for path in paths:
        number = 0
        for number, record in records(path):
            where = f"{path.name}, line {number}"
            try:
                found = _billed(record, delivery)
                only_grows = bool(found) and _only_grows(record, delivery)
                for line in found or ():
                    check_line(line, now)
                    seen.note(line, only_grows=only_grows)
                    yield replace(line, where=where, file=path.name)
            except _MISREAD as error:
                raise InvoiceError(f"{where}: {error}") from error
            seen.left_out += found is None
        if not number:
            seen.empty.append(path.name)


def _billed(record: Record, delivery: DeliveryFiles) -> list[BilledLine] | None:
    """The lines of a record; None if it does not have the tag."""
    parser = _parser(record, delivery)
    if delivery.tag is None:
        return list(parser.lines(record, delivery.bucket))
    if not hasattr(parser, "tags"):
        raise ValueError("RunPod's records have no tags. Import them without --tag")
    key, value = delivery.tag
    has_tag = parser.tags(record).get(key) == value
    return list(parser.lines(record, delivery.bucket)) if has_tag else None


def _only_grows(record: Record, delivery: DeliveryFiles) -> bool:
    parser = _parser(record, delivery)
    return hasattr(parser, "only_grows") and parser.only_grows(record)


def _parser(record: Record, delivery: DeliveryFiles) -> ModuleType:
    if delivery.provider:
        return PARSERS[delivery.provider]
    for parser in PARSERS.values():
        if parser.is_mine(record):
            return parser
    raise ValueError(
        f"its fields ({', '.join(list(record)[:6])} …) match no known bill of {', '.join(PARSERS)}."
    )
