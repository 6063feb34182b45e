"""What a provider billed: lines of its invoices, and their rows in `ledger/invoices`."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Literal

from .currencies import ExchangeRateError, ExchangeRates
from .prices import NANODOLLAR

INVOICE_SCHEMA_VERSION = 1
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
    where: file and line, for what is said of it.
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


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One row of `ledger/invoices`; times are UTC, hours or days or months.

    row_id: of backend, bill, sku, category, currency and period. The same file twice adds
    nothing, and a correction takes the place of what it corrects.
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
    schema_version: int = INVOICE_SCHEMA_VERSION


def check_line(line: BilledLine, now: datetime) -> None:
    """A period or a text that cannot be one is a field that was misread.

    Raises:
        ValueError: the period ends before it begins, begins in the future, or lasts ten years;
            a text is none that a file can hold.
    """
    try:
        f"{line.bill}{line.invoice_id}{line.sku}{line.currency}{line.description}".encode()
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
    sums: dict[str, BilledLine] = {}
    for line in lines:
        key = _row_id(line)
        seen = sums.get(key)
        sums[key] = line if seen is None else replace(seen, amount=seen.amount + line.amount)
    return sums


def invoice_rows(
    sums: Mapping[str, BilledLine], rates: ExchangeRates, now: datetime
) -> Iterator[InvoiceRow]:
    """Rows of one delivery, of its lines as they were added up.

    Raises:
        InvoiceError: an amount is more than a row holds.
        ExchangeRateError: a currency has no rate at the line's time.
    """
    for row_id, line in sums.items():
        yield _row(row_id, line, rates, now)


def _row(row_id: str, line: BilledLine, rates: ExchangeRates, now: datetime) -> InvoiceRow:
    amount, amount_usd = _amounts(line, rates)
    return InvoiceRow(
        row_id=row_id,
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
    )


def _amounts(line: BilledLine, rates: ExchangeRates) -> tuple[Decimal, Decimal]:
    """As billed, and in USD."""
    try:
        amount = line.amount.quantize(NANODOLLAR, ROUND_HALF_EVEN)
        amount_usd = rates.usd(line.amount, line.currency, line.period_start)
    except InvalidOperation:  # more digits than Python's Decimal reckons with
        amount = amount_usd = ROW_LIMIT
    except ExchangeRateError as error:
        raise ExchangeRateError(f"{line.where}: {error}") from error
    if max(abs(amount), abs(amount_usd)) >= ROW_LIMIT:
        raise InvoiceError(
            f"{line.where}: {line.sku}, {period(line)}, adds up to {line.amount} {line.currency}, "
            "which is more than the ledger holds."
        )
    return amount, amount_usd


def _row_id(line: BilledLine) -> str:
    times = f"{line.period_start.isoformat()}/{line.period_end.isoformat()}"
    parts = (line.backend, line.bill, line.sku, line.category, line.currency, times)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
