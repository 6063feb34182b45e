"""Lines of providers' bills, and their rows in `ledger/invoices`."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Literal

from escriba.errors import EscribaError

from .exchange_rates import ExchangeRateError, ExchangeRates
from .price_book import NANODOLLAR

INVOICE_SCHEMA_VERSION = 2  # 2: bill, exact, lines, files, rate_source, withdrawn_at
ROW_LIMIT = Decimal(10) ** 9  # too large for the ledger's DECIMAL(18, 9)
_AHEAD = timedelta(days=1)  # clocks and time zones differ; a later start is a misread field
_LONGEST = timedelta(days=3660)  # the longest commitments are for three years
Category = Literal["compute", "storage", "network", "tax", "credit", "other"]


class InvoiceError(EscribaError, ValueError):
    """A file or a line of it is not a known kind of bill; names file and line."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One line of a bill, as its parser reads it.

    bill: a stable id of the bill: the account's month if the provider numbers the invoice only
    when the month ends, so that the final line replaces the early one. of: the resource (machine,
    disk, account) if the provider names it, and the time of writing if lines are only ever added.
    line_id: the provider's id of the line. units_per_usd: the bill's own exchange rate, if it has
    one. where, file: file and line, for error messages. lines: fingerprints (bill_deliveries.py).
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
    """One row of `ledger/invoices`; periods are UTC hours, days or months.

    row_id: a hash of backend, bill, sku, category, currency and period; lines that differ only in
    their resource are one row. bill: the payer's billing period. exact: the amount before
    rounding, so that files of a delivery add up the same when imported one at a time. lines:
    fingerprints of the lines that the row sums (bill_deliveries.py). rate_source: where the
    exchange rate comes from. withdrawn_at: when a later delivery dropped the row, which then
    counts 0. Fields from `bill` on are None in rows of earlier versions.
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
    def content(self) -> tuple[object, ...]:
        """What the row says, regardless of when and by which version it was written."""
        amounts = (self.amount, self.amount_usd, self.currency)
        words = (self.invoice_id, self.sku, self.category, self.description)
        return (*words, *amounts, self.period_start, self.period_end, bool(self.withdrawn_at))


def check_line(line: BilledLine, now: datetime) -> None:
    """Refuse a line with an impossible period or text, which means a misread field.

    Raises:
        ValueError: the period ends before it begins, begins in the future, or lasts more than
            ten years; or a text is not valid Unicode.
    """
    try:
        words = (line.bill, line.invoice_id, line.sku, line.currency, line.description)
        "".join((*words, line.of, line.line_id)).encode()
    except UnicodeEncodeError:
        raise ValueError("a text contains half a surrogate pair, which UTF-8 lacks") from None
    found = f"its period {period(line)}"
    if line.period_end < line.period_start:
        raise ValueError(f"{found} ends before it begins")
    if line.period_start > now + _AHEAD:
        raise ValueError(f"{found} begins in the future")
    if line.period_end - line.period_start > _LONGEST:
        raise ValueError(f"{found} is longer than ten years")


def period(of: BilledLine | InvoiceRow) -> str:
    """The period for people, to the minute in UTC."""
    form = "%Y-%m-%d %H:%M"
    return f"{of.period_start:{form}} to {of.period_end:{form}}"


def sums_by_row_id(lines: Iterable[BilledLine]) -> dict[str, BilledLine]:
    """The sums of lines by row_id: lines that differ only in their resource become one."""
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
    """The rows of one delivery, from the sums of its lines.

    Raises:
        InvoiceError: an amount is too large for a row.
        ExchangeRateError: a currency has no rate at the line's time.
    """
    for key, line in sums.items():
        yield _row(key, line, rates, now)


def withdrawn(row: InvoiceRow, now: datetime) -> InvoiceRow:
    """The row after a later delivery dropped it: its amounts are 0."""
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
    """The amount as billed and in USD, and the source of the rate; empty for USD."""
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
            source = rates.at(line.currency, line.period_start).description
    except InvalidOperation:  # more digits than Python's Decimal can quantize
        amount = amount_usd = ROW_LIMIT
    except ExchangeRateError as error:
        raise ExchangeRateError(f"{line.where}: {error}") from error
    if max(abs(amount), abs(amount_usd)) >= ROW_LIMIT:
        raise InvoiceError(
            f"{line.where}: {line.sku}, {period(line)}, adds up to {line.amount} {line.currency}, "
            "more than the ledger can store. Check the amounts of the file."
        )
    return amount, amount_usd, source


def row_id(of: BilledLine | InvoiceRow, bill: str) -> str:
    """The id of a row: a hash of its identifying fields and of the bill's own rate, if any."""
    times = f"{of.period_start.isoformat()}/{of.period_end.isoformat()}"
    parts = (of.backend, bill, of.sku, of.category, of.currency, times)
    rate = getattr(of, "units_per_usd", None)
    own_rate = () if rate is None else (f"{rate.normalize():f}",)
    return hashlib.sha256("\n".join((*parts, *own_rate)).encode()).hexdigest()[:32]
