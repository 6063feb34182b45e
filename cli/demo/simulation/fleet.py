"""A simulated fleet in memory: ledger rows, and the true costs to check them against."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from escriba.billing.dated_rows import FOR_EVER
from escriba.billing.exchange_rates import ExchangeRates, Rate
from escriba.billing.invoice_rows import InvoiceRow
from escriba.billing.ledger_rows import LedgerRow
from escriba.billing.worker_sessions import SessionRow

from .days import simulate_day
from .invoices import SimulatedInvoices
from .plan import SimulationPlan
from .rows import ledger_rows, session_rows
from .truth import Truth

DOLLARS = ExchangeRates(
    (Rate("USD", Decimal(1), datetime(2000, 1, 1, tzinfo=UTC), FOR_EVER, "by definition"),)
)


@dataclass(frozen=True)
class SimulatedFleet:
    """The rows that Escriba would write, the bills, and the true costs."""

    attempts: list[LedgerRow]
    sessions: list[SessionRow]
    invoices: list[InvoiceRow]
    truth: Truth
    billed_usd: Decimal


def simulate(plan: SimulationPlan) -> SimulatedFleet:
    """Simulate all days of the plan."""
    truth, bills = Truth(plan), SimulatedInvoices(plan)
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
    return SimulatedFleet(attempts, sessions, invoices, truth, bills.compute_usd)


def until(fleet: SimulatedFleet, end: datetime) -> Iterator[LedgerRow | SessionRow | InvoiceRow]:
    """The rows written before `end`, since the last day may not be over."""
    yield from (row for row in fleet.attempts if row.ended_at < end)
    yield from (row for row in fleet.sessions if row.job_ended_at < end)
    yield from (row for row in fleet.invoices if row.period_end <= end)
