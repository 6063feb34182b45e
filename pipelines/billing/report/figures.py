"""The rows of the marts that a report is made of. Money is USD."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .finance import Commitment, TagSpend, UnitCost
from .periods import Compared

ZERO = Decimal(0)
UNALLOCATED = "unallocated"


@dataclass(frozen=True, slots=True)
class Spend:
    """Of a day, tenant, backend and category."""

    day: date
    tenant: str
    backend: str
    category: str
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Speed:
    """Of a day, backend and sku; RTF is None where nothing was done."""

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
        """As in a legend: runpod/l4."""
        return f"{self.backend}/{self.sku}"


@dataclass(frozen=True, slots=True)
class Waste:
    """Of a day, backend and kind."""

    day: date
    backend: str
    kind: str
    usd: Decimal
    attempts: int


@dataclass(frozen=True, slots=True)
class Option:
    """What so many hours of audio a day would cost at one place; jobs: how many were measured."""

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
        """As in a legend: runpod/l4."""
        return f"{self.backend}/{self.sku}"


@dataclass(frozen=True, slots=True)
class Burn:
    """Of a scope ('all', or a tenant) in the month of the report's end."""

    scope: str
    month: date
    spent_usd: Decimal
    forecast_usd: Decimal
    low_usd: Decimal
    high_usd: Decimal
    day_limit_usd: Decimal | None
    month_limit_usd: Decimal | None
    level: str  # past, ok, warn or stop


@dataclass(frozen=True, slots=True)
class Recording:
    """All that one cost, whenever."""

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
    """A day that is far from usual; scope: 'all', or a backend."""

    scope: str
    day: date
    usd: Decimal
    usual_usd: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """Of a backend in the period, against what the ledger explains of it.

    alarming: days of which more than a twentieth is not explained. unbilled: days that cost
    something and have no bill yet.
    """

    backend: str
    days: int
    billed_usd: Decimal
    unexplained_usd: Decimal
    alarming: tuple[date, ...] = ()
    unbilled: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """How workers of a sku waited in the period: for what a shorter timeout would have saved.

    pauses: seconds between two jobs of a life. tails: lives that waited in vain at their end.
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
    """A price of a sku that was in use changed on a day of the period."""

    day: date
    backend: str
    sku: str
    old_usd_per_hour: Decimal
    new_usd_per_hour: Decimal


@dataclass(frozen=True)
class Figures:
    """Everything, of the period and of the one before it. first_day: of the whole ledger.

    backends: that this version can send work to; None: all.
    """

    periods: Compared
    first_day: date | None
    spend: tuple[Spend, ...] = ()
    speed: tuple[Speed, ...] = ()
    waste: tuple[Waste, ...] = ()
    options: tuple[Option, ...] = ()
    burn: tuple[Burn, ...] = ()
    recordings: tuple[Recording, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    bills: tuple[Bill, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    price_changes: tuple[PriceChange, ...] = ()
    unit_costs: tuple[UnitCost, ...] = ()
    tags: tuple[TagSpend, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    backends: frozenset[str] | None = None
    is_synthetic: bool = False

    def can_send_to(self, backend: str) -> bool:
        """Whether advice may name it."""
        return self.backends is None or backend in self.backends

    def dearest_tenants(self) -> list[str]:
        """All of unit_costs, by what they cost in these months."""
        spent: dict[str, Decimal] = {}
        for one in self.unit_costs:
            spent[one.tenant] = spent.get(one.tenant, ZERO) + one.usd
        return sorted(spent, key=lambda name: (-spent[name], name))
