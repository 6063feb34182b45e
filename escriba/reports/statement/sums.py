"""The month's total in cents, to which all tenants and the unallocated costs add up."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from escriba.billing.run_charges import UNALLOCATED
from escriba.reports.figures import ZERO

from .cents import in_cents
from .figures import AllocatedCost, MonthCosts

OWN = ("run", "boot", "idle")  # the cost of the tenant's own completed jobs
FAILED = "failed_run"


RULES = {"cost": "in proportion to job costs", "audio": "by hours of audio"}


def how_shared(rule: str) -> str:
    """The rule (SHARED_COSTS_BY) in words; empty if shared costs stay unallocated."""
    return RULES.get(rule, "")


def is_shared(category: str) -> bool:
    """Whether the category belongs to no job, so that its costs are shared.

    `daily_spend` says who they are allocated to: a tenant by the rule that is set, or no one.
    """
    return category not in OWN and category != FAILED


def cents_of(rows: Iterable[AllocatedCost]) -> dict[str, dict[str, Decimal]]:
    """Cents by tenant and category: tenants add up to the total, categories to their tenant."""
    exact: dict[str, dict[str, Decimal]] = {}
    for row in sorted(rows, key=lambda one: (one.tenant, one.category)):
        of_tenant = exact.setdefault(row.tenant, {})
        of_tenant[row.category] = of_tenant.get(row.category, ZERO) + row.usd
    totals = in_cents({tenant: sum(parts.values(), ZERO) for tenant, parts in exact.items()})
    return {tenant: in_cents(parts, totals[tenant]) for tenant, parts in exact.items()}


@dataclass(frozen=True, slots=True)
class MonthSums:
    """Cents. apart: unallocated costs by category; total: those and all tenants."""

    tenants: dict[str, Decimal]
    apart: dict[str, Decimal]
    total: Decimal


def month_sums(month: MonthCosts) -> MonthSums:
    """The month's sums, to check the statements against."""
    cents = cents_of(month.now)
    tenants = {name: sum(parts.values(), ZERO) for name, parts in cents.items()}
    total = sum(tenants.values(), ZERO)
    tenants.pop(UNALLOCATED, None)
    return MonthSums(tenants, cents.get(UNALLOCATED, {}), total)
