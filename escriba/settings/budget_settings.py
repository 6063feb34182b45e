from decimal import Decimal

from pydantic import Field

from .backend_limits import BackendLimits, limits_by_backend
from .base import SettingsGroup
from .field_types import UsdLimit


class BudgetSettings(SettingsGroup):
    """How much the paid backends may cost."""

    daily_cost_threshold: UsdLimit = Field(
        Decimal(50),
        description="Budget limit of all paid backends per day (UTC), in USD; `none`: no limit. "
        "Jobs that would exceed it wait.",
    )
    monthly_cost_threshold: UsdLimit = Field(
        Decimal(1_000),
        description="Budget limit of all paid backends per month (UTC), in USD; `none`: no limit.",
    )
    backend_daily_limits: BackendLimits = Field(
        "",
        description="Budget limits of single backends per day (UTC), in USD, within the limits of "
        "all: backend=usd,backend=usd, for example runpod=20. Jobs go to another backend, or "
        "wait. Empty: none.",
    )
    budget_warn_share: Decimal = Field(
        Decimal("0.8"),
        gt=0,
        le=1,
        description="Fraction of a limit that triggers one warning per day or month.",
    )

    @property
    def backend_limits_usd(self) -> dict[str, Decimal]:
        """BACKEND_DAILY_LIMITS by backend."""
        return limits_by_backend(self.backend_daily_limits)
