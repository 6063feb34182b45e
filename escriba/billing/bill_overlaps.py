"""Bill lines with overlapping but different periods, which would count time twice.

This applies only to providers with one amount per resource at a time. AWS and Google bill hours
and monthly fees under one name, and those are separate amounts.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from .invoice_rows import BilledLine, InvoiceError, InvoiceRow, period

Billed = TypeVar("Billed", BilledLine, InvoiceRow)


def refuse_overlaps(lines: Sequence[BilledLine], known: Iterable[InvoiceRow]) -> None:
    """Refuse lines that overlap each other or rows of the ledger.

    known: the ledger's rows of these days and of earlier ones; rows of 0 USD never overlap.

    Raises:
        InvoiceError: two lines overlap, or a line overlaps a row; names both.
    """
    for line, other in _overlaps(lines, lines):
        first, second = sorted((line, other), key=lambda one: one.period_start)
        raise InvoiceError(
            f"{second.where}: {second.sku}, {period(second)}, overlaps {first.where} "
            f"({period(first)}) and would count twice. Use --bucket hour for hourly records; "
            "import records of only one length."
        )
    for line, row in _overlaps(lines, [row for row in known if row.amount]):
        raise InvoiceError(
            f"{line.where}: {line.sku}, {period(line)}, overlaps {period(row)}, which was imported "
            f"on {row.imported_at:%Y-%m-%d}, and would count twice. Use the same --bucket as in "
            "that import. If that import was wrong, first import its record with the amount 0."
        )


def _overlaps(
    lines: Iterable[BilledLine], others: Iterable[Billed]
) -> Iterator[tuple[BilledLine, Billed]]:
    by_what: dict[tuple[str, ...], list[Billed]] = defaultdict(list)
    for other in sorted(others, key=lambda one: one.period_start):
        by_what[other.backend, other.sku, other.category].append(other)
    longest = {
        what: max((one.period_end - one.period_start for one in found), default=timedelta(0))
        for what, found in by_what.items()
    }
    for line in lines:
        what = (line.backend, line.sku, line.category)
        for other in _near(line, by_what.get(what, []), longest.get(what, timedelta(0))):
            if _is_shared(line, other):
                yield line, other


def _near(line: BilledLine, others: list[Billed], longest: timedelta) -> list[Billed]:
    """The lines, sorted by time, that are close enough to overlap (a year has 8,760 hours)."""
    begin = bisect_right(others, line.period_start - longest, key=lambda one: one.period_start)
    end = bisect_left(others, line.period_end, key=lambda one: one.period_start)
    return others[begin:end]


def _is_shared(line: BilledLine, other: BilledLine | InvoiceRow) -> bool:
    is_same = (line.period_start, line.period_end) == (other.period_start, other.period_end)
    return not is_same and line.period_start < other.period_end
