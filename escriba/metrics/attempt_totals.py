"""The totals of all ended attempts, which only grow."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, Field

from escriba.billing.quotes import speakers_model

from .histogram_totals import LATENCY_BUCKETS, RTF_BUCKETS, START_BUCKETS, HistogramTotals
from .label_limit import bounded_label

RECENT_DAYS: Final = 30  # of `transcription_cost_per_audio_hour`
_MOST_ERRORS: Final = 50  # kinds of error with a label of their own
_FAILED: Final = frozenset({"failed", "lost", "buried"})  # stopped: orderly, it goes on
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class EndedAttempt:
    """What the totals need of a row of `ledger/attempts`."""

    attempt_id: str
    tenant: str
    backend: str
    model: str
    status: str
    error_type: str
    audio_seconds: float
    start_seconds: float
    rtf: float | None
    cost_usd: Decimal
    queued_at: datetime
    ended_at: datetime

    @property
    def counted_audio_seconds(self) -> float:
        """A job that only finds speakers adds cost, and no audio."""
        has_words = self.status == "done" and not self.model.startswith(speakers_model(""))
        return self.audio_seconds if has_words else 0.0


class Work(BaseModel):
    """Cost in USD and transcribed audio in seconds."""

    cost_usd: Decimal = _ZERO
    audio_seconds: float = 0.0

    def add(self, cost_usd: Decimal, audio_seconds: float) -> None:
        """Add to both."""
        self.cost_usd += cost_usd
        self.audio_seconds += audio_seconds


class AttemptTotals(BaseModel):
    """All totals; backends, statuses, error types and tenants are keys."""

    jobs: dict[str, dict[str, int]] = Field(default_factory=dict)
    failed: dict[str, int] = Field(default_factory=dict)
    work: dict[str, Work] = Field(default_factory=dict)
    wasted_usd: dict[str, Decimal] = Field(default_factory=dict)
    tenants: dict[str, Work] = Field(default_factory=dict)
    days: dict[date, dict[str, Work]] = Field(default_factory=dict)
    latency: dict[str, HistogramTotals] = Field(default_factory=dict)
    start: dict[str, HistogramTotals] = Field(default_factory=dict)
    rtf: dict[str, HistogramTotals] = Field(default_factory=dict)

    def add(self, one: EndedAttempt, most_tenants: int, *, is_paid: bool = True) -> None:
        """Count an attempt. is_paid: False if its cost was counted with an earlier row of it."""
        statuses = self.jobs.setdefault(one.backend, {})
        statuses[one.status] = statuses.get(one.status, 0) + 1
        self._add_work(one, one.cost_usd if is_paid else _ZERO, most_tenants)
        if one.status in _FAILED:
            kind = bounded_label(one.error_type or one.status, self.failed, _MOST_ERRORS)
            self.failed[kind] = self.failed.get(kind, 0) + 1
        if one.status == "done":
            self._add_times(one)

    def _add_work(self, one: EndedAttempt, cost_usd: Decimal, most_tenants: int) -> None:
        tenant = bounded_label(one.tenant, self.tenants, most_tenants)
        of_day = self.days.setdefault(one.ended_at.date(), {})
        for group, key in ((self.work, one.backend), (self.tenants, tenant), (of_day, one.backend)):
            group.setdefault(key, Work()).add(cost_usd, one.counted_audio_seconds)
        wasted = self.wasted_usd.setdefault(one.backend, _ZERO)
        if one.status not in {"done", "none"}:
            self.wasted_usd[one.backend] = wasted + cost_usd

    def _add_times(self, one: EndedAttempt) -> None:
        latency = max(0.0, (one.ended_at - one.queued_at).total_seconds())
        _observe(self.latency, one.backend, LATENCY_BUCKETS, latency)
        _observe(self.start, one.backend, START_BUCKETS, one.start_seconds)
        if one.rtf is not None:
            _observe(self.rtf, one.backend, RTF_BUCKETS, one.rtf)

    def forget_days(self, today: date) -> None:
        """Keep the last RECENT_DAYS by day."""
        since = today - timedelta(days=RECENT_DAYS)
        self.days = {day: of for day, of in self.days.items() if day > since}

    def recent_usd_per_audio_hour(self) -> dict[str, float]:
        """Cost of an hour of audio in the kept days, by backend; left out without audio."""
        sums: dict[str, Work] = {}
        for of_day in self.days.values():
            for backend, work in of_day.items():
                sums.setdefault(backend, Work()).add(work.cost_usd, work.audio_seconds)
        return {
            backend: float(work.cost_usd) * 3_600 / work.audio_seconds
            for backend, work in sums.items()
            if work.audio_seconds
        }


def _observe(
    all_of: dict[str, HistogramTotals], backend: str, bounds: Iterable[float], value: float
) -> None:
    all_of.setdefault(backend, HistogramTotals(bounds=tuple(bounds))).observe(value)
