"""Comparing an imported bill with its current rows: the rows to write, and the counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from escriba.billing.bill_deliveries import (
    BillDelivery,
    DeliveryKind,
    ImportedBill,
    KnownBill,
    Verdict,
    delivery_verdict,
)
from escriba.billing.billed_until import billed_until
from escriba.billing.exchange_rates import ExchangeRates
from escriba.billing.invoice_rows import (
    BilledLine,
    InvoiceRow,
    invoice_rows,
    row_id,
    sums_by_row_id,
    withdrawn,
)
from escriba.billing.price_book import total

_EARLIER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Placement:
    """Rows to write. The numbers count rows of the bill; gone_usd is the amount of removed rows.

    stood_usd: the amount that a new delivery replaces; None: it replaces nothing. beside: other
    files of the same delivery, set if the given ones change nothing.
    """

    verdict: Verdict
    write: tuple[InvoiceRow, ...] = ()
    new: int = 0
    replaced: int = 0
    unchanged: int = 0
    gone: int = 0
    gone_usd: Decimal = Decimal(0)
    stood_usd: Decimal | None = None
    rate_sources: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedBill:
    """The lines of one payer's period, as delivered, and how its provider corrects them.

    name: empty if each line is a bill of its own.
    """

    backend: str
    name: str
    lines: Sequence[BilledLine]
    only_grows: bool
    may_correct: bool
    is_by_line: bool  # each line is a bill of its own, and its newest version counts

    def came(self) -> ImportedBill:
        """The delivered lines, for the verdict."""
        by_file: dict[str, set[str]] = {}
        for line in self.lines:
            by_file.setdefault(line.file, set()).update(line.lines)
        return ImportedBill(
            {name: frozenset(marks) for name, marks in by_file.items()},
            frozenset(
                row_id(one, self.name)
                for line in self.lines
                for one in (line, replace(line, units_per_usd=None))  # as rows were named before
            ),
            only_grows=self.only_grows,
            may_correct=self.may_correct,
        )


def rows_of_bill(rows: Iterable[InvoiceRow], backend: str, bill: str) -> dict[str, InvoiceRow]:
    """The rows of a bill; without a name, all of the backend.

    A row that an older version wrote without a bill is matched by its own id.
    """
    return {
        row.row_id: row
        for row in rows
        if row.backend == backend
        and (not bill or row.bill == bill or (row.bill is None and row_id(row, bill) == row.row_id))
    }


def placed(  # noqa: PLR0913  # the inputs of a comparison, by name
    bill: PlacedBill,
    known: Mapping[str, InvoiceRow],
    deliveries: tuple[BillDelivery, ...],
    *,
    rates: ExchangeRates,
    now: datetime,
    wish: DeliveryKind,
) -> Placement:
    """The rows to write for a bill.

    Raises:
        InvoiceError: an amount exceeds what a row holds, or it is unclear what the files are.
        ExchangeRateError: a currency has no rate at the line's time.
    """
    current = {key: row for key, row in known.items() if row.withdrawn_at is None}
    verdict: Verdict = (
        "part"
        if bill.is_by_line
        else delivery_verdict(
            bill.came(), _delivery_state(current, deliveries), wish, f"{bill.backend} {bill.name}"
        )
    )
    at = max([now, *(row.imported_at + _EARLIER for row in known.values())])
    if verdict == "replaced":
        return Placement(verdict)
    fresh = list(invoice_rows(_sums(bill, current, verdict), rates, at))
    done = _compared(bill, fresh, known=known, current=current, verdict=verdict, now=at)
    return replace(done, beside=_beside(bill, deliveries)) if verdict == "same" else done


def _beside(bill: PlacedBill, deliveries: tuple[BillDelivery, ...]) -> tuple[str, ...]:
    files, came = deliveries[-1].files, bill.came().digests()
    return tuple(sorted(name for digest, name in files.items() if digest not in came))


def _delivery_state(
    current: Mapping[str, InvoiceRow], deliveries: tuple[BillDelivery, ...]
) -> KnownBill:
    return KnownBill(
        lines=frozenset(mark for row in current.values() for mark in (row.lines or "").split()),
        rows=frozenset(current),
        deliveries=deliveries,
        is_whole=all(row.lines is not None for row in current.values()),
    )


def _sums(
    bill: PlacedBill, current: Mapping[str, InvoiceRow], verdict: Verdict
) -> dict[str, BilledLine]:
    """The new rows of the bill, as far as this import contains them."""
    sums = sums_by_row_id(bill.lines)
    if verdict == "whole" or bill.is_by_line:
        return sums
    there = {mark for row in current.values() for mark in (row.lines or "").split()}
    further = sums_by_row_id(line for line in bill.lines if not there.issuperset(line.lines))
    found = {key: _added(line, current.get(key)) for key, line in further.items()}
    for key, line in sums.items():
        if key in current and key not in found:
            found[key] = _as_it_was(line, current[key])
    return found


def _added(line: BilledLine, row: InvoiceRow | None) -> BilledLine:
    if row is None:
        return line
    marks = (*(row.lines or "").split(), *line.lines)
    return replace(line, amount=Decimal(row.exact or row.amount) + line.amount, lines=marks)


def _as_it_was(line: BilledLine, row: InvoiceRow) -> BilledLine:
    return replace(
        line, amount=Decimal(row.exact or row.amount), lines=tuple((row.lines or "").split())
    )


def _compared(  # noqa: PLR0913  # both sides, by name
    bill: PlacedBill,
    fresh: Sequence[InvoiceRow],
    *,
    known: Mapping[str, InvoiceRow],
    current: Mapping[str, InvoiceRow],
    verdict: Verdict,
    now: datetime,
) -> Placement:
    """The rows to write, and their counts. known: all rows of the bill; current: those in force."""
    names = {row.row_id for row in fresh}
    is_whole = verdict == "whole" and not bill.is_by_line
    left = [] if is_whole else [row for k, row in current.items() if k not in names]
    gone = [row for k, row in current.items() if is_whole and k not in names]
    changed = [
        row for row in fresh if (old := known.get(row.row_id)) is None or row.content != old.content
    ]
    was, will = billed_until(current.values()), billed_until([*fresh, *left])
    rewritten = _rewritten(fresh, changed, left, known=known, until=(was, will), now=now)
    return Placement(
        verdict,
        write=(*changed, *rewritten, *(withdrawn(row, now) for row in gone)),
        new=len([row for row in changed if row.row_id not in current]),
        replaced=len([row for row in changed if row.row_id in current]),
        unchanged=len(fresh) - len(changed),
        gone=len(gone),
        gone_usd=total(row.amount_usd for row in gone),
        stood_usd=total(row.amount_usd for row in current.values())
        if is_whole and current
        else None,
        rate_sources=tuple(sorted({row.rate_source for row in fresh if row.rate_source})),
    )


def _rewritten(  # noqa: PLR0913  # the rows of both sides, by name
    fresh: Sequence[InvoiceRow],
    changed: Sequence[InvoiceRow],
    left: Sequence[InvoiceRow],
    *,
    known: Mapping[str, InvoiceRow],
    until: tuple[datetime | None, datetime | None],
    now: datetime,
) -> list[InvoiceRow]:
    """Unchanged rows that must be written again. until: the end of the bill, before and now."""
    was, will = until
    changed_ids = {row.row_id for row in changed}
    same = [row for row in fresh if row.row_id not in changed_ids]
    again = [row for row in same if _is_written_again(row, known[row.row_id], was, will)]
    later = [(row, replace(row, imported_at=now)) for row in left]
    return [*again, *(new for row, new in later if _counts(row, was) != _counts(new, will))]


def _is_written_again(
    row: InvoiceRow, known: InvoiceRow, was: datetime | None, will: datetime | None
) -> bool:
    """Whether an unchanged row is rewritten: its day counts only now, or it has an old format."""
    is_kept = (row.lines, row.exact, row.bill) == (known.lines, known.exact, known.bill)
    return not is_kept or _counts(known, was) != _counts(row, will)


def _counts(row: InvoiceRow, until: datetime | None) -> bool:
    """Whether its last day (UTC) had ended at the import, and the bill covers it to the end."""
    last = row.period_end.astimezone(UTC) - _EARLIER
    over = datetime.combine(last.date() + timedelta(days=1), time(), UTC)
    return row.imported_at >= over and until is not None and until >= over
