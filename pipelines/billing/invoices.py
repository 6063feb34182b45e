"""What a provider billed: lines of its invoices, and their rows in `ledger/invoices`."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Literal

from .currencies import ExchangeRateError, ExchangeRates
from .prices import NANODOLLAR

INVOICE_SCHEMA_VERSION = 2  # 2: bill, exact, lines, files, rate_source, withdrawn_at
ROW_LIMIT = Decimal(10) ** 9  # what the ledger's DECIMAL(18, 9) no longer holds
_AHEAD = timedelta(days=1)  # clocks and zones differ; what begins later is misread
_LONGEST = timedelta(days=3660)  # a bill of machines for three years is the longest there is
Category = Literal["compute", "storage", "network", "tax", "credit", "other"]


class InvoiceError(ValueError):
    """A file or a line of it is no bill that we know; names file and line."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One line of a bill, as its parser read it.

    bill: what the line is a part of, for ever: an account's month where the invoice's number is
    only given when the month ends, so that the final line takes the place of the early one.
    of: what it is of (a machine, a disk, an account), where the provider tells; and when it was
    written, where lines are only ever added. line_id: the provider's own name of the line.
    units_per_usd: of the currency, where the bill has its own rate.
    where, file: file and line, for what is said of it. lines: fingerprints (deliveries.py).
    """

    backend: str
    bill: str
    invoice_id: str
    sku: str
    category: Category
    period_start: datetime
    period_end: datetime
    amount: Decimal
    currency: str
    description: str
    where: str = ""
    of: str = ""
    line_id: str = ""
    units_per_usd: Decimal | None = None
    file: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One row of `ledger/invoices`; times are UTC, hours or days or months.

    row_id: of backend, bill, sku, category, currency and period: lines that differ only in what
    they are of are one row.
    bill: the payer's period. exact: the amount before it was rounded, so that files of a delivery
    that come one at a time add up to what they are together. lines: fingerprints of the lines it
    is the sum of (deliveries.py). rate_source: where its exchange rate is from. withdrawn_at: a
    later delivery no longer has it; it counts nothing.
    All but the first are None in rows of versions before they were kept.
    """

    row_id: str
    backend: str
    invoice_id: str
    sku: str
    category: Category
    period_start: datetime
    period_end: datetime
    amount: Decimal
    currency: str
    amount_usd: Decimal
    description: str
    imported_at: datetime
    bill: str | None = None
    exact: str | None = None
    lines: str | None = None
    rate_source: str | None = None
    withdrawn_at: datetime | None = None
    schema_version: int = INVOICE_SCHEMA_VERSION

    @property
    def told(self) -> tuple[object, ...]:
        """What it says, whenever and in which version it was written down."""
        amounts = (self.amount, self.amount_usd, self.currency)
        words = (self.invoice_id, self.sku, self.category, self.description)
        return (*words, *amounts, self.period_start, self.period_end, bool(self.withdrawn_at))


def check_line(line: BilledLine, now: datetime) -> None:
    """A period or a text that cannot be one is a field that was misread.

    Raises:
        ValueError: the period ends before it begins, begins in the future, or lasts ten years;
            a text is none that a file can hold.
    """
    try:
        words = (line.bill, line.invoice_id, line.sku, line.currency, line.description)
        "".join((*words, line.of, line.line_id)).encode()
    except UnicodeEncodeError:
        raise ValueError("a text of it has half a character, which UTF-8 cannot say") from None
    told = f"its period {period(line)}"
    if line.period_end < line.period_start:
        raise ValueError(f"{told} ends before it begins")
    if line.period_start > now + _AHEAD:
        raise ValueError(f"{told} begins in the future")
    if line.period_end - line.period_start > _LONGEST:
        raise ValueError(f"{told} is longer than ten years")


def period(of: BilledLine | InvoiceRow) -> str:
    """As people read it, to the minute in UTC."""
    form = "%Y-%m-%d %H:%M"
    return f"{of.period_start:{form}} to {of.period_end:{form}}"


def added_up(lines: Iterable[BilledLine]) -> dict[str, BilledLine]:
    """By row_id: what differs only in what it is of (a disk, a machine) is one line."""
    first: dict[str, BilledLine] = {}
    amounts: dict[str, Decimal] = {}
    marks: dict[str, list[str]] = {}
    for line in lines:
        key = row_id(line, line.bill)
        first.setdefault(key, line)
        amounts[key] = amounts.get(key, Decimal(0)) + line.amount
        marks.setdefault(key, []).extend(line.lines)
    return {
        key: replace(line, amount=amounts[key], lines=tuple(marks[key]))
        for key, line in first.items()
    }


def invoice_rows(
    sums: Mapping[str, BilledLine], rates: ExchangeRates, now: datetime
) -> Iterator[InvoiceRow]:
    """Rows of one delivery, of its lines as they were added up.

    Raises:
        InvoiceError: an amount is more than a row holds.
        ExchangeRateError: a currency has no rate at the line's time.
    """
    for key, line in sums.items():
        yield _row(key, line, rates, now)


def withdrawn(row: InvoiceRow, now: datetime) -> InvoiceRow:
    """The row of what a later delivery no longer has."""
    nothing = Decimal(0)
    return replace(
        row,
        amount=nothing,
        amount_usd=nothing,
        exact="0",
        lines="",
        imported_at=now,
        withdrawn_at=now,
        schema_version=INVOICE_SCHEMA_VERSION,
    )


def _row(key: str, line: BilledLine, rates: ExchangeRates, now: datetime) -> InvoiceRow:
    amount, amount_usd, source = _amounts(line, rates)
    return InvoiceRow(
        row_id=key,
        backend=line.backend,
        invoice_id=line.invoice_id,
        sku=line.sku,
        category=line.category,
        period_start=line.period_start,
        period_end=line.period_end,
        amount=amount,
        currency=line.currency,
        amount_usd=amount_usd,
        description=line.description,
        imported_at=now,
        bill=line.bill,
        exact=f"{line.amount.normalize():f}",
        lines=" ".join(line.lines),
        rate_source=source,
    )


def _amounts(line: BilledLine, rates: ExchangeRates) -> tuple[Decimal, Decimal, str]:
    """As billed, in USD, and where the rate is from; empty: it needs none."""
    source = ""
    try:
        amount = line.amount.quantize(NANODOLLAR, ROUND_HALF_EVEN)
        if line.currency == "USD":
            amount_usd = rates.usd(line.amount, line.currency, line.period_start)
        elif line.units_per_usd:
            amount_usd = (line.amount / line.units_per_usd).quantize(NANODOLLAR, ROUND_HALF_EVEN)
            source = f"the bill: {line.units_per_usd.normalize():f} {line.currency} for 1 USD"
        else:
            amount_usd = rates.usd(line.amount, line.currency, line.period_start)
            source = rates.at(line.currency, line.period_start).told
    except InvalidOperation:  # more digits than Python's Decimal reckons with
        amount = amount_usd = ROW_LIMIT
    except ExchangeRateError as error:
        raise ExchangeRateError(f"{line.where}: {error}") from error
    if max(abs(amount), abs(amount_usd)) >= ROW_LIMIT:
        raise InvoiceError(
            f"{line.where}: {line.sku}, {period(line)}, adds up to {line.amount} {line.currency}, "
            "which is more than the ledger holds."
        )
    return amount, amount_usd, source


def row_id(of: BilledLine | InvoiceRow, bill: str) -> str:
    """The name of a row: what it is of, and the bill's own rate where there is one."""
    times = f"{of.period_start.isoformat()}/{of.period_end.isoformat()}"
    parts = (of.backend, bill, of.sku, of.category, of.currency, times)
    rate = getattr(of, "units_per_usd", None)
    own_rate = () if rate is None else (f"{rate.normalize():f}",)
    return hashlib.sha256("\n".join((*parts, *own_rate)).encode()).hexdigest()[:32]
