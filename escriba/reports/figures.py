"""The rows of the marts that a report shows. Money is USD."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .finance_figures import AssumedRate, CommitmentFigure, TagSpend, UnitCost
from .periods import Compared

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Spend:
    """Cost of one day, tenant, backend and category."""

    day: date
    tenant: str
    backend: str
    category: str
    usd: Decimal
    is_by_assumed_rate: bool = False


@dataclass(frozen=True, slots=True)
class SpeedFigure:
    """Speed on one day of one backend and sku; RTF is None if no job was done."""

    day: date
    backend: str
    sku: str
    attempts: int
    done: int
    failed: int
    audio_hours: float
    rtf_p50: float | None
    rtf_p95: float | None

    @property
    def name(self) -> str:
        """Backend and sku, such as runpod/l4."""
        return f"{self.backend}/{self.sku}"


@dataclass(frozen=True, slots=True)
class Waste:
    """Waste of one day, backend and kind."""

    day: date
    backend: str
    kind: str
    usd: Decimal
    attempts: int


@dataclass(frozen=True, slots=True)
class BackendOption:
    """What `audio_hours_a_day` would cost on one backend and sku; jobs: how many were measured."""

    backend: str
    sku: str
    unit: str
    audio_hours_a_day: int
    rtf: float
    jobs: int
    usd_a_day: Decimal
    can_do_it: bool

    @property
    def name(self) -> str:
        """Backend and sku, such as runpod/l4."""
        return f"{self.backend}/{self.sku}"


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """Budget use of a scope ('all', or a tenant) in the month in which the report ends.

    owners: addresses that receive a message when a limit is nearly used up.
    """

    scope: str
    month: date
    spent_usd: Decimal
    forecast_usd: Decimal
    low_usd: Decimal
    high_usd: Decimal
    day_limit_usd: Decimal | None
    month_limit_usd: Decimal | None
    level: str  # past, ok, warn or stop
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordingCost:
    """The total cost of a recording, earlier periods included."""

    tenant: str
    name: str
    attempts: int
    audio_seconds: float
    run_usd: Decimal
    wasted_usd: Decimal
    beside_usd: Decimal
    usd: Decimal
    usd_per_audio_hour: Decimal | None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A day with unusual spend; scope: 'all', or a backend."""

    scope: str
    day: date
    usd: Decimal
    usual_usd: Decimal


@dataclass(frozen=True, slots=True)
class BillTotal:
    """A backend's bill in the period, and the part that the ledger does not explain.

    alarming: days on which more than 5 % is unexplained. unbilled: days with costs but no bill
    yet.
    """

    backend: str
    days: int
    billed_usd: Decimal
    unexplained_usd: Decimal
    alarming: tuple[date, ...] = ()
    unbilled: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Idle time of a sku's workers in the period, to compute what a shorter timeout would save.

    pauses: seconds between two jobs of a worker. tails: workers that waited for a last job that
    never came.
    """

    backend: str
    sku: str
    timeout_seconds: float
    boot_seconds: float
    usd_per_hour: Decimal
    tails: int
    pauses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price change in the period, of a sku that was in use."""

    day: date
    backend: str
    sku: str
    old_usd_per_hour: Decimal
    new_usd_per_hour: Decimal


@dataclass(frozen=True)
class Figures:
    """All figures of a report, for the period and the previous one.

    first_day: the first day in the ledger. backends: those that this version can send work to;
    None: all.
    """

    periods: Compared
    first_day: date | None
    spend: tuple[Spend, ...] = ()
    speed: tuple[SpeedFigure, ...] = ()
    waste: tuple[Waste, ...] = ()
    options: tuple[BackendOption, ...] = ()
    burn: tuple[BudgetUse, ...] = ()
    recordings: tuple[RecordingCost, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    bills: tuple[BillTotal, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    price_changes: tuple[PriceChange, ...] = ()
    unit_costs: tuple[UnitCost, ...] = ()
    tags: tuple[TagSpend, ...] = ()
    commitments: tuple[CommitmentFigure, ...] = ()
    assumed_rates: tuple[AssumedRate, ...] = ()
    backends: frozenset[str] | None = None
    is_synthetic: bool = False

    def can_send_to(self, backend: str) -> bool:
        """Whether this version can send work to the backend, so that advice may name it."""
        return self.backends is None or backend in self.backends

    def most_expensive_tenants(self) -> list[str]:
        """The tenants in `unit_costs`, the most expensive first."""
        spent: dict[str, Decimal] = {}
        for one in self.unit_costs:
            spent[one.tenant] = spent.get(one.tenant, ZERO) + one.usd
        return sorted(spent, key=lambda name: (-spent[name], name))
