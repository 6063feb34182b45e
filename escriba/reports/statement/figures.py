"""The input of a monthly statement. Money is exact USD, days are UTC."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from escriba.reports.finance_figures import AssumedRate
from escriba.reports.periods import Compared

from .terms import ChargeTerms


@dataclass(frozen=True, slots=True)
class AllocatedCost:
    """The cost allocated to a tenant, or to 'unallocated', in one category of a period."""

    tenant: str
    category: str
    usd: Decimal
    is_by_assumed_rate: bool = False


@dataclass(frozen=True, slots=True)
class MonthCosts:
    """All costs of a month and of the previous one, to which all statements add up."""

    periods: Compared
    now: tuple[AllocatedCost, ...]
    before: tuple[AllocatedCost, ...]
    is_synthetic: bool = False


@dataclass(frozen=True, slots=True)
class TranscribedAudio:
    """What was transcribed for a tenant. recordings: includes silent ones and duplicates."""

    recordings: int
    audio_seconds: Decimal


@dataclass(frozen=True, slots=True)
class Worked:
    """One recording's work in the month.

    path: relative to its tenant. usd: includes its boot and idle time and its failed attempts.
    """

    path: str
    first_day: date
    audio_seconds: Decimal
    attempts: int
    usd: Decimal
    failed_usd: Decimal
    cost_center: str
    project: str
    is_by_assumed_rate: bool = False


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tenant's cost in one cost center and project; both may be empty."""

    cost_center: str
    project: str
    usd: Decimal


@dataclass(frozen=True, slots=True)
class TenantMonth:
    """One tenant's figures. days: days with costs; billed_days: those that have a bill."""

    tenant: str
    now: TranscribedAudio
    before: TranscribedAudio
    worked: tuple[Worked, ...]
    tagged: tuple[Tagged, ...]
    days: int
    billed_days: int
    assumed_rates: tuple[AssumedRate, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """A tenant's terms from tenants.yaml. shared_by: the rule that allocates shared costs."""

    mail_to: tuple[str, ...] = ()
    month_usd: Decimal | None = None
    owners: tuple[str, ...] = ()
    charge: ChargeTerms | None = None
    shared_by: str = "apart"
