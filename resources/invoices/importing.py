"""Invoices of providers, as files, on their way into `ledger/invoices`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

from pipelines.billing.bills import aws, gcp, runpod
from pipelines.billing.bills.fields import Record
from pipelines.billing.currencies import ExchangeRates
from pipelines.billing.deliveries import Delivery as Taken
from pipelines.billing.deliveries import marked
from pipelines.billing.invoices import (
    BilledLine,
    InvoiceError,
    InvoiceRow,
    added_up,
    check_line,
    invoice_rows,
)
from pipelines.billing.overlaps import refuse_overlaps
from pipelines.billing.prices import total
from resources.ledger_writer import write_rows
from resources.storage.base import Storage

from .imported import Delivery, Imported
from .placing import Bill, Placed, placed, rows_of_bill
from .reading import records
from .standing import rows_between
from .taken import note_taken, read_taken

__all__ = ["PARSERS", "Delivery", "Imported", "import_invoices"]
PARSERS: dict[str, ModuleType] = {"runpod": runpod, "aws": aws, "gcp": gcp}
_ALONE = {one.BACKEND for one in PARSERS.values() if getattr(one, "ONE_AT_A_TIME", False)}
_CORRECTING = {one.BACKEND for one in PARSERS.values() if getattr(one, "MAY_CORRECT", False)}
_BILL_REACH_DAYS = 400  # a bill has lines of what was used long before, and its deliveries differ
_REACH_DAYS = 31  # so far before a line may lie the begin of one that overlaps it
# what a provider's file may hold where something else belongs is told as its parser found it
_MISREAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def import_invoices(
    storage: Storage,
    paths: Sequence[Path],
    rates: ExchangeRates,
    delivery: Delivery,
    now: datetime,
) -> Imported:
    """All files are one delivery, or a part of one that came before (deliveries.py).

    Nothing is written unless every line can be read.

    Raises:
        InvoiceError: names the file and the line; or nothing tells what the files are.
        ExchangeRateError: a currency has no rate at a line's time; names file and line.
        StorageError: a file of the ledger is damaged.
    """
    _refuse_twins(paths)
    seen = _Seen()
    lines = list(marked(_lines(paths, delivery, now, seen)))
    standing = _standing(storage, lines)
    alone = [line for line in added_up(lines).values() if line.backend in _ALONE]
    refuse_overlaps(alone, [row for row in standing.values() if row.withdrawn_at is None])
    bills = _bills(lines, seen.only_grow)
    taken = [read_taken(storage, bill.backend, bill.name) for bill in bills]
    done = []
    for bill, before in zip(bills, taken, strict=True):
        known = rows_of_bill(standing.values(), bill.backend, bill.name)
        done.append(placed(bill, known, before, rates=rates, now=now, wish=delivery.wish))
    write_rows(storage, [row for one in done for row in one.write])
    for bill, one, before in zip(bills, done, taken, strict=True):
        _note(storage, bill, one, before, now)
    return _told(bills, done, seen, rates, now)


def _note(
    storage: Storage, bill: Bill, done: Placed, before: tuple[Taken, ...], now: datetime
) -> None:
    if bill.is_by_line or done.verdict == "replaced":
        return
    files = bill.came().digests()
    is_new = done.verdict == "whole"
    note_taken(storage, bill.backend, bill.name, before=before, files=files, now=now, is_new=is_new)


def _told(
    bills: Sequence[Bill],
    done: Sequence[Placed],
    seen: "_Seen",
    rates: ExchangeRates,
    now: datetime,
) -> Imported:
    stood = [one.stood_usd for one in done if one.stood_usd is not None]
    rows = [row for bill in bills for row in invoice_rows(added_up(bill.lines), rates, now)]
    return Imported(
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
        rate_sources=tuple(sorted({source for one in done for source in one.rate_sources})),
    )


def _standing(storage: Storage, lines: Sequence[BilledLine]) -> dict[str, InvoiceRow]:
    """What the ledger says of the bills of these lines, and of what may overlap them."""
    if not lines:
        return {}
    is_alone = all(line.backend in _ALONE for line in lines)
    reach = timedelta(days=_REACH_DAYS if is_alone else _BILL_REACH_DAYS)
    first = min(line.period_start for line in lines) - reach
    last = max(max(line.period_start, line.period_end) for line in lines)
    return rows_between(storage, first.date(), (last + timedelta(days=_REACH_DAYS)).date())


def _bills(lines: Sequence[BilledLine], only_grow: set[str]) -> list[Bill]:
    by_bill: dict[tuple[str, str], list[BilledLine]] = {}
    for line in lines:
        name = "" if line.backend in _ALONE else line.bill  # there a line is a bill of its own
        by_bill.setdefault((line.backend, name), []).append(line)
    return [
        Bill(
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
    """The lines of a file that is given twice would be added up."""
    for path, times in Counter(path.resolve() for path in paths).items():
        if times > 1:
            raise InvoiceError(f"{path.name} is given {times} times: give each file once.")


@dataclass
class _Seen:
    """What is found on the way. only_grow: bills, each line of which says when it was written."""

    left_out: int = 0
    empty: list[str] = field(default_factory=list)
    only_grow: set[str] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)

    def note(self, line: BilledLine, *, only_grows: bool) -> None:
        """One line that says nothing makes its bill one that may be corrected."""
        if only_grows and line.bill not in self.corrected:
            self.only_grow.add(line.bill)
        else:
            self.only_grow.discard(line.bill)
            self.corrected.add(line.bill)


def _lines(
    paths: Sequence[Path], delivery: Delivery, now: datetime, seen: _Seen
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


def _billed(record: Record, delivery: Delivery) -> list[BilledLine] | None:
    """The lines of a record; None where it has not the tag."""
    parser = _parser(record, delivery)
    if delivery.tag is None:
        return list(parser.lines(record, delivery.bucket))
    if not hasattr(parser, "tags"):
        raise ValueError("RunPod's records carry no tags: import them without --tag")
    key, value = delivery.tag
    has_tag = parser.tags(record).get(key) == value
    return list(parser.lines(record, delivery.bucket)) if has_tag else None


def _only_grows(record: Record, delivery: Delivery) -> bool:
    parser = _parser(record, delivery)
    return hasattr(parser, "only_grows") and parser.only_grows(record)


def _parser(record: Record, delivery: Delivery) -> ModuleType:
    if delivery.provider:
        return PARSERS[delivery.provider]
    for parser in PARSERS.values():
        if parser.is_mine(record):
            return parser
    raise ValueError(
        f"its fields ({', '.join(list(record)[:6])} …) are of no bill that is known: of "
        f"{', '.join(PARSERS)}."
    )
