"""Rows of what finance asks for: unit costs by tenant, cost centers, committed use; in USD."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class UnitCost:
    """What a tenant cost in a month, and for an hour of audio; None without audio."""

    month: date
    tenant: str
    audio_hours: float
    usd: Decimal
    usd_per_audio_hour: Decimal | None


@dataclass(frozen=True, slots=True)
class TagSpend:
    """Of a cost center and project in the period; either may be empty."""

    cost_center: str
    project: str
    audio_hours: float
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is paid in advance: its part in the period, and what was had for it."""

    name: str
    backend: str
    sku: str
    amortized_usd: Decimal
    used_hours: float
    at_price_book_usd: Decimal
