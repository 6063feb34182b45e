"""One bill of an import beside what stands of it: the rows to write, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from pipelines.billing.currencies import ExchangeRates
from pipelines.billing.deliveries import Came, Delivery, Stand, Verdict, Wish, judged
from pipelines.billing.invoices import (
    BilledLine,
    InvoiceRow,
    added_up,
    invoice_rows,
    row_id,
    withdrawn,
)
from pipelines.billing.prices import total
from pipelines.billing.told_until import told_until

_EARLIER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows to write. The numbers count rows of the bill; gone_usd is what no longer stands.

    stood_usd: what a new delivery takes the place of; None: of nothing.
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


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines of one payer's period, as they came; how its provider corrects.

    name: empty where each line is a bill of its own.
    """

    backend: str
    name: str
    lines: Sequence[BilledLine]
    only_grows: bool
    may_correct: bool
    is_by_line: bool  # each line is a bill of its own, and the last word on it counts

    def came(self) -> Came:
        """What they are, for a judgement."""
        by_file: dict[str, set[str]] = {}
        for line in self.lines:
            by_file.setdefault(line.file, set()).update(line.lines)
        return Came(
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
    """Those of a bill; with no name of one, all of the backend.

    A row of a version before bills were kept proves by its own name whose it is.
    """
    return {
        row.row_id: row
        for row in rows
        if row.backend == backend
        and (not bill or row.bill == bill or (row.bill is None and row_id(row, bill) == row.row_id))
    }


def placed(  # noqa: PLR0913  # what a bill hangs on, by name
    bill: Bill,
    known: Mapping[str, InvoiceRow],
    deliveries: tuple[Delivery, ...],
    *,
    rates: ExchangeRates,
    now: datetime,
    wish: Wish,
) -> Placed:
    """What to write of it.

    Raises:
        InvoiceError: an amount is more than a row holds, or nothing tells what the files are.
        ExchangeRateError: a currency has no rate at the line's time.
    """
    standing = {key: row for key, row in known.items() if row.withdrawn_at is None}
    verdict: Verdict = (
        "part"
        if bill.is_by_line
        else judged(bill.came(), _stand(standing, deliveries), wish, f"{bill.backend} {bill.name}")
    )
    at = max([now, *(row.imported_at + _EARLIER for row in known.values())])
    if verdict == "replaced":
        return Placed(verdict)
    fresh = list(invoice_rows(_sums(bill, standing, verdict), rates, at))
    return _compared(bill, fresh, known=known, standing=standing, verdict=verdict, now=at)


def _stand(standing: Mapping[str, InvoiceRow], deliveries: tuple[Delivery, ...]) -> Stand:
    return Stand(
        lines=frozenset(mark for row in standing.values() for mark in (row.lines or "").split()),
        rows=frozenset(standing),
        deliveries=deliveries,
        is_whole=all(row.lines is not None for row in standing.values()),
    )


def _sums(
    bill: Bill, standing: Mapping[str, InvoiceRow], verdict: Verdict
) -> dict[str, BilledLine]:
    """The rows that the bill has from now on, as far as this import tells of them."""
    sums = added_up(bill.lines)
    if verdict == "whole" or bill.is_by_line:
        return sums
    there = {mark for row in standing.values() for mark in (row.lines or "").split()}
    further = added_up(line for line in bill.lines if not there.issuperset(line.lines))
    found = {key: _added(line, standing.get(key)) for key, line in further.items()}
    for key, line in sums.items():
        if key in standing and key not in found:
            found[key] = _as_it_was(line, standing[key])
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
    bill: Bill,
    fresh: Sequence[InvoiceRow],
    *,
    known: Mapping[str, InvoiceRow],
    standing: Mapping[str, InvoiceRow],
    verdict: Verdict,
    now: datetime,
) -> Placed:
    names = {row.row_id for row in fresh}
    is_whole = verdict == "whole" and not bill.is_by_line
    left = {} if is_whole else {k: row for k, row in standing.items() if k not in names}
    gone = [row for k, row in standing.items() if is_whole and k not in names]
    changed = [
        row for row in fresh if (old := known.get(row.row_id)) is None or row.told != old.told
    ]
    told = {row.row_id for row in changed}
    same = [row for row in fresh if row.row_id not in told]
    was, will = told_until(standing.values()), told_until([*fresh, *left.values()])
    again = [row for row in same if _is_written_again(row, known[row.row_id], was, will)]
    others = [
        row
        for row in left.values()
        if _counts(row, was) != _counts(replace(row, imported_at=now), will)
    ]
    return Placed(
        verdict,
        write=(
            *changed,
            *again,
            *(replace(row, imported_at=now) for row in others),
            *(withdrawn(row, now) for row in gone),
        ),
        new=len([row for row in changed if row.row_id not in standing]),
        replaced=len([row for row in changed if row.row_id in standing]),
        unchanged=len(same),
        gone=len(gone),
        gone_usd=total(row.amount_usd for row in gone),
        stood_usd=total(row.amount_usd for row in standing.values())
        if is_whole and standing
        else None,
        rate_sources=tuple(sorted({row.rate_source for row in fresh if row.rate_source})),
    )


def _is_written_again(
    row: InvoiceRow, known: InvoiceRow, was: datetime | None, will: datetime | None
) -> bool:
    """It says the same, but its day counts now and did not; or an older version wrote it."""
    is_kept = (row.lines, row.exact, row.bill) == (known.lines, known.exact, known.bill)
    return not is_kept or _counts(known, was) != _counts(row, will)


def _counts(row: InvoiceRow, until: datetime | None) -> bool:
    """Whether its last day (UTC) was over when it was read, and is told of to its end."""
    last = row.period_end.astimezone(UTC) - _EARLIER
    over = datetime.combine(last.date() + timedelta(days=1), time(), UTC)
    return row.imported_at >= over and until is not None and until >= over
