"""What a tenant permits, and how much may be spent."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Priority = Literal["cost", "latency", "quality"]
_BILLION = 1_000_000_000  # the cost tables have limits as DECIMAL(18, 9)


class SpendLimits(BaseModel):
    """USD that may be spent in a day and in a month (UTC); None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day_usd: Decimal | None = Field(None, ge=0, lt=_BILLION)
    month_usd: Decimal | None = Field(None, ge=0, lt=_BILLION)


class Permission(BaseModel):
    """Where a tenant's audio may go, and its spending limits; the defaults permit everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    third_parties: bool = True
    regions: tuple[str, ...] | None = None
    backends: tuple[str, ...] | None = None
    budget: SpendLimits = SpendLimits()


class BudgetLeft(BaseModel):
    """What may still be spent under one limit, such as `DAILY_COST_THRESHOLD`.

    backend: the only one that it applies to; empty: all paid ones.
    """

    model_config = ConfigDict(frozen=True)

    limit: str
    limit_usd: Decimal
    left_usd: Decimal
    backend: str = ""

    def applies_to(self, backend: str) -> bool:
        """Whether the costs of this backend count against it."""
        return self.backend in {"", backend}
