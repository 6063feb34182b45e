"""What a provider billed: lines of its invoices, and their rows in `ledger/invoices`."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from .currencies import ExchangeRates
from .prices import NANODOLLAR

INVOICE_SCHEMA_VERSION = 1
Category = Literal["compute", "storage", "network", "tax", "credit", "other"]


class InvoiceError(ValueError):
    """A file or a line of it is no bill that we know; names file and line."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One line of a bill, as its parser read it.

    bill: what the line is a part of, for ever: an account's month where the invoice's number is
    only given when the month ends, so that the final line takes the place of the early one.
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


def invoice_rows(
    lines: Iterable[BilledLine], rates: ExchangeRates, now: datetime
) -> Iterator[InvoiceRow]:
    """Rows of one delivery; what differs only in what it is of (a disk, a machine) is one row.

    Raises:
        ExchangeRateError: a currency has no rate at the line's time.
    """
    sums: dict[str, BilledLine] = {}
    for line in lines:
        key = _row_id(line)
        seen = sums.get(key)
        sums[key] = line if seen is None else replace(seen, amount=seen.amount + line.amount)
    for row_id, line in sums.items():
        yield _row(row_id, line, rates, now)


def _row(row_id: str, line: BilledLine, rates: ExchangeRates, now: datetime) -> InvoiceRow:
    return InvoiceRow(
        row_id=row_id,
        backend=line.backend,
        invoice_id=line.invoice_id,
        sku=line.sku,
        category=line.category,
        period_start=line.period_start,
        period_end=line.period_end,
        amount=line.amount.quantize(NANODOLLAR, ROUND_HALF_EVEN),
        currency=line.currency,
        amount_usd=rates.usd(line.amount, line.currency, line.period_start),
        description=line.description,
        imported_at=now,
    )


def _row_id(line: BilledLine) -> str:
    period = f"{line.period_start.isoformat()}/{line.period_end.isoformat()}"
    parts = (line.backend, line.bill, line.sku, line.category, line.currency, period)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
