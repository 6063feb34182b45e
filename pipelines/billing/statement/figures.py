"""What a month's statement is made of. Money is exact USD, days are UTC."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipelines.billing.report.periods import Compared

from .terms import Charge


@dataclass(frozen=True, slots=True)
class Carried:
    """What a tenant, or nobody ('unallocated'), carries of a category in a period."""

    tenant: str
    category: str
    usd: Decimal


@dataclass(frozen=True, slots=True)
class HouseMonth:
    """The whole house in a month and in the one before: what every statement adds up to."""

    periods: Compared
    now: tuple[Carried, ...]
    before: tuple[Carried, ...]
    is_synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """How much was done for a tenant. recordings: that were done, silent ones and copies too."""

    recordings: int
    audio_seconds: Decimal


@dataclass(frozen=True, slots=True)
class Worked:
    """A recording in the month; path: below its tenant. usd: with its boot, idle and failures."""

    path: str
    first_day: date
    audio_seconds: Decimal
    attempts: int
    usd: Decimal
    failed_usd: Decimal
    cost_center: str
    project: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a tenant carries under one cost center and project; both may be empty."""

    cost_center: str
    project: str
    usd: Decimal


@dataclass(frozen=True, slots=True)
class TenantMonth:
    """One tenant's own part. days, billed_days: with costs, and those that a bill has come of."""

    tenant: str
    now: Done
    before: Done
    worked: tuple[Worked, ...]
    tagged: tuple[Tagged, ...]
    days: int
    billed_days: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What tenants.yaml says of its money. shared_by: the rule that shared costs follow."""

    mail_to: tuple[str, ...] = ()
    month_usd: Decimal | None = None
    owners: tuple[str, ...] = ()
    charge: Charge | None = None
    shared_by: str = "apart"
