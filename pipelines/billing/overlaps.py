"""Lines of a bill whose periods overlap without being the same: seconds that would count twice.

Only where a provider has one amount for a thing at a time. AWS and Google bill hours beside fees
of a month under one name, and those are two things.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from .invoices import BilledLine, InvoiceError, InvoiceRow, period

Billed = TypeVar("Billed", BilledLine, InvoiceRow)


def refuse_overlaps(lines: Sequence[BilledLine], standing: Iterable[InvoiceRow]) -> None:
    """standing: what the ledger says of their days and of those before; 0 USD overlaps nothing.

    Raises:
        InvoiceError: two lines of one delivery overlap, or one overlaps what stands; names both.
    """
    for line, other in _overlaps(lines, lines):
        first, second = sorted((line, other), key=lambda one: one.period_start)
        raise InvoiceError(
            f"{second.where}: {second.sku}, {period(second)}, overlaps {first.where} "
            f"({period(first)}): it would be counted twice. Records of an hour each need "
            "--bucket hour; of several lengths, give one alone."
        )
    for line, row in _overlaps(lines, [row for row in standing if row.amount]):
        raise InvoiceError(
            f"{line.where}: {line.sku}, {period(line)}, overlaps {period(row)}, which was imported "
            f"on {row.imported_at:%Y-%m-%d}: it would be counted twice. Import it with the "
            "--bucket of then; where that one was wrong, import that record with the amount 0 "
            "first."
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
    """Of those in the order of time the ones that may reach it: a year has 8,760 hours."""
    begin = bisect_right(others, line.period_start - longest, key=lambda one: one.period_start)
    end = bisect_left(others, line.period_end, key=lambda one: one.period_start)
    return others[begin:end]


def _is_shared(line: BilledLine, other: BilledLine | InvoiceRow) -> bool:
    is_same = (line.period_start, line.period_end) == (other.period_start, other.period_end)
    return not is_same and line.period_start < other.period_end
