"""Invoices of providers, as files, on their way into `ledger/invoices`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType

from pipelines.billing.bills import aws, gcp, runpod
from pipelines.billing.bills.fields import Record
from pipelines.billing.currencies import ExchangeRates
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

from .reading import records
from .standing import rows_of_days

PARSERS: dict[str, ModuleType] = {"runpod": runpod, "aws": aws, "gcp": gcp}
_ALONE = {one.BACKEND for one in PARSERS.values() if getattr(one, "ONE_AT_A_TIME", False)}
_REACH_DAYS = 31  # so far before a line may lie the begin of one that overlaps it
# what a provider's file may hold where something else belongs is told as its parser found it
_MISREAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


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
    """What came of it.

    new, replaced and unchanged add up to rows; an unchanged one is written again only where its
    day was not over when it was read.
    empty: names of files that hold no lines.
    """

    new: int
    replaced: int
    unchanged: int
    left_out: int
    empty: tuple[str, ...]
    usd: Decimal
    backends: tuple[str, ...]

    @property
    def rows(self) -> int:
        """All that the delivery told."""
        return self.new + self.replaced + self.unchanged

    @property
    def sentence(self) -> str:
        """For people."""
        whose = ", ".join(self.backends) or "nobody"
        if self.unchanged == self.rows:
            came = "the same again: nothing new" if self.rows else "nothing new"
        else:
            came = f"{self.new:,} new, {self.replaced:,} replaced, {self.unchanged:,} the same"
        left_out = f"; {self.left_out:,} lines without that tag left out" if self.left_out else ""
        return f"{self.rows:,} rows of {whose}, {self.usd:.2f} USD: {came}{left_out}."


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
        ExchangeRateError: a currency has no rate at a line's time; names file and line.
        StorageError: a file of the ledger is damaged.
    """
    _refuse_twins(paths)
    seen = _Seen()
    sums = added_up(_lines(paths, delivery, now, seen))
    rows = list(invoice_rows(sums, rates, now))
    alone = [line for line in sums.values() if line.backend in _ALONE]
    days = {row.period_start.date() for row in rows}
    standing = rows_of_days(storage, days | _days_around(alone))
    refuse_overlaps(alone, standing.values())
    changed = [row for row in rows if not _is_standing(row, standing.get(row.row_id))]
    news = {row.row_id for row in changed}
    same = (row for row in rows if row.row_id not in news)
    whole = [row for row in same if _is_whole_now(row, standing[row.row_id])]
    write_rows(storage, [*changed, *whole])
    replaced = sum(row.row_id in standing for row in changed)
    return Imported(
        new=len(changed) - replaced,
        replaced=replaced,
        unchanged=len(rows) - len(changed),
        left_out=seen.left_out,
        empty=tuple(seen.empty),
        usd=total(row.amount_usd for row in rows),
        backends=tuple(sorted({row.backend for row in rows})),
    )


def _refuse_twins(paths: Sequence[Path]) -> None:
    """The lines of a file that is given twice would be added up."""
    for path, times in Counter(path.resolve() for path in paths).items():
        if times > 1:
            raise InvoiceError(f"{path.name} is given {times} times: give each file once.")


def _days_around(lines: Sequence[BilledLine]) -> set[date]:
    """On which what overlaps them may begin."""
    return {
        (line.period_start + timedelta(days=day)).date()
        for line in lines
        for day in range(-_REACH_DAYS, (line.period_end - line.period_start).days + 2)
    }


def _is_standing(row: InvoiceRow, known: InvoiceRow | None) -> bool:
    """Whether the ledger's last word on it says the same."""
    if known is None:
        return False
    return row == replace(known, imported_at=row.imported_at, schema_version=row.schema_version)


def _is_whole_now(row: InvoiceRow, known: InvoiceRow) -> bool:
    """Whether its last day (UTC) was not over when it was read, and is now: then it counts."""
    last = row.period_end.astimezone(UTC) - timedelta(microseconds=1)
    over = datetime.combine(last.date() + timedelta(days=1), time(), UTC)
    return known.imported_at < over <= row.imported_at


@dataclass
class _Seen:
    left_out: int = 0
    empty: list[str] = field(default_factory=list)


def _lines(
    paths: Sequence[Path], delivery: Delivery, now: datetime, seen: _Seen
) -> Iterator[BilledLine]:
    for path in paths:
        number = 0
        for number, record in records(path):
            where = f"{path.name}, line {number}"
            try:
                found = _billed(record, delivery)
                for line in found or ():
                    check_line(line, now)
                    yield replace(line, where=where)
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
