"""The house's month in cents: every tenant's, and what is kept apart, add up to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from pipelines.billing.report.figures import UNALLOCATED, ZERO

from .cents import in_cents
from .figures import Carried, HouseMonth

OWN = ("run", "boot", "idle")  # what the tenant's own jobs cost, when they were done
FAILED = "failed_run"


RULES = {"cost": "by what each one's jobs cost", "audio": "by hours of audio"}


def how_shared(rule: str) -> str:
    """The rule (SHARED_COSTS_BY) in words; empty where all of it is kept apart."""
    return RULES.get(rule, "")


def is_shared(category: str) -> bool:
    """Whether it is of no job: the one place that tells the tenant's own costs from shared ones.

    Who carries it is what daily_spend says: a tenant by the rule that is set, or nobody.
    """
    return category not in OWN and category != FAILED


def cents_of(rows: Iterable[Carried]) -> dict[str, dict[str, Decimal]]:
    """By tenant and category. Tenants add up to the house, categories to their tenant."""
    exact: dict[str, dict[str, Decimal]] = {}
    for row in sorted(rows, key=lambda one: (one.tenant, one.category)):
        of_tenant = exact.setdefault(row.tenant, {})
        of_tenant[row.category] = of_tenant.get(row.category, ZERO) + row.usd
    totals = in_cents({tenant: sum(parts.values(), ZERO) for tenant, parts in exact.items()})
    return {tenant: in_cents(parts, totals[tenant]) for tenant, parts in exact.items()}


@dataclass(frozen=True, slots=True)
class HouseSums:
    """In cents. apart: what no tenant carries, by category; total: that and all tenants."""

    tenants: dict[str, Decimal]
    apart: dict[str, Decimal]
    total: Decimal


def house_sums(house: HouseMonth) -> HouseSums:
    """Of the month, for whoever holds the statements against the house."""
    cents = cents_of(house.now)
    tenants = {name: sum(parts.values(), ZERO) for name, parts in cents.items()}
    total = sum(tenants.values(), ZERO)
    tenants.pop(UNALLOCATED, None)
    return HouseSums(tenants, cents.get(UNALLOCATED, {}), total)
