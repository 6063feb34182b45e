"""A whole fleet in memory: rows for the ledger, and the truth to hold them against."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pipelines.billing.attempts import LedgerRow
from pipelines.billing.currencies import ExchangeRates, Rate
from pipelines.billing.invoices import InvoiceRow
from pipelines.billing.seed_lines import FOR_EVER
from pipelines.billing.sessions import SessionRow

from .days import simulate_day
from .invoices import Bills
from .plan import Plan
from .rows import ledger_rows, session_rows
from .truth import Truth

DOLLARS = ExchangeRates(
    (Rate("USD", Decimal(1), datetime(2000, 1, 1, tzinfo=UTC), FOR_EVER, "by definition"),)
)


@dataclass(frozen=True)
class Fleet:
    """What the product would have written, what was billed, and what is true."""

    attempts: list[LedgerRow]
    sessions: list[SessionRow]
    invoices: list[InvoiceRow]
    truth: Truth
    billed_usd: Decimal


def simulate(plan: Plan) -> Fleet:
    """All days of the plan."""
    truth, bills = Truth(plan), Bills(plan)
    attempts: list[LedgerRow] = []
    sessions: list[SessionRow] = []
    for day in range(plan.days):
        parts = simulate_day(plan, day)
        truth.add(day, parts)
        bills.add(parts)
        for number, part in enumerate(parts):
            attempts += ledger_rows(plan, day, number, part)
            sessions += session_rows(plan, day, number, part)
    invoices = bills.rows(DOLLARS, plan.start + timedelta(days=plan.days))
    return Fleet(attempts, sessions, invoices, truth, bills.compute_usd)


def until(fleet: Fleet, end: datetime) -> Iterator[LedgerRow | SessionRow | InvoiceRow]:
    """What was written before a moment: the last day may still be going on."""
    yield from (row for row in fleet.attempts if row.ended_at < end)
    yield from (row for row in fleet.sessions if row.job_ended_at < end)
    yield from (row for row in fleet.invoices if row.period_end <= end)
