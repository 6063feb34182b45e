"""Rows for finance: unit costs by tenant, cost centers, committed use; in USD."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class UnitCost:
    """A tenant's cost in a month, total and per hour of audio; None without audio."""

    month: date
    tenant: str
    audio_hours: float
    usd: Decimal
    usd_per_audio_hour: Decimal | None


@dataclass(frozen=True, slots=True)
class TagSpend:
    """Cost of one cost center and project in the period; either may be empty."""

    cost_center: str
    project: str
    audio_hours: float
    usd: Decimal


@dataclass(frozen=True, slots=True)
class CommitmentFigure:
    """Committed use: the part of it that falls into the period, and what was used of it."""

    name: str
    backend: str
    sku: str
    amortized_usd: Decimal
    used_hours: float
    at_price_book_usd: Decimal


@dataclass(frozen=True, slots=True)
class AssumedRate:
    """An assumed exchange rate, in words, and the backends with costs that it converts."""

    rate: str
    backends: tuple[str, ...]
