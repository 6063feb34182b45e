"""Escriba's own alert rules: which alerts the figures of a moment call for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from escriba.billing.budget_burn import Level

Severity = Literal["critical", "warning", "info"]
FAILURE_MINUTES: Final = 5  # windows of the figures
LATENCY_MINUTES: Final = 10
_BACKUP_LIMIT: Final = timedelta(hours=36)  # one daily backup may fail; the next may take its time


@dataclass(frozen=True, slots=True)
class Rule:
    """How serious an alert is, how long its condition must hold, and what to do."""

    severity: Severity
    hold: timedelta
    advice: str


RULES: Final = {
    "HighFailureRate": Rule(
        "critical", timedelta(minutes=5), "`escriba status` shows why recordings fail."
    ),
    "HighLatency": Rule(
        "warning", timedelta(minutes=10), "See whether workers are missing or start slowly."
    ),
    "HighCost": Rule(
        "critical", timedelta(minutes=30), "`escriba costs --by backend` shows where it goes."
    ),
    "LargeQueue": Rule("warning", timedelta(minutes=10), "Allow more workers, or wait."),
    "NoActiveWorkers": Rule(
        "critical", timedelta(minutes=5), "`escriba doctor` checks the backends."
    ),
    "NothingProcessed": Rule(
        "critical", timedelta(0), "Look at the runs in the UI, then try `escriba doctor`."
    ),
    "BackupMissing": Rule("warning", timedelta(0), "Look at the last backup's run in the UI."),
    "BudgetNearlyUsed": Rule("warning", timedelta(0), "`escriba costs` shows the use of limits."),
    "BudgetReached": Rule(
        "critical", timedelta(0), "New work waits until the limit allows it or you raise it."
    ),
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which figures on something is wrong; the settings that start with ALERT_."""

    failure_share: float
    latency_seconds: float
    cost_usd_per_hour: Decimal
    queue_size: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rules look at.

    ended, failed: attempts of the last FAILURE_MINUTES. latency_p95_seconds: of those done in the
    last LATENCY_MINUTES; None: there are none. usd_last_hour, done_last_hour: of attempts that
    ended within an hour. waiting, active: recordings and attempts now. waiting_since: when the
    oldest of them was submitted. backup_at: of the newest backup; None: this bucket has none.
    """

    now: datetime
    ended: int = 0
    failed: int = 0
    latency_p95_seconds: float | None = None
    usd_last_hour: Decimal = Decimal(0)
    done_last_hour: int = 0
    waiting: int = 0
    active: int = 0
    waiting_since: datetime | None = None
    levels: tuple[Level, ...] = ()
    backup_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition that holds. key: of this alert; tenant: empty for the house."""

    rule: str
    sentence: str
    tenant: str = ""
    detail: str = ""

    @property
    def key(self) -> str:
        """The same as long as it is the same alert."""
        return f"{self.rule}/{self.detail}" if self.detail else self.rule


def alerts(figures: Figures, limits: Thresholds) -> list[Alert]:
    """The alerts whose conditions hold at this moment, however long they have held."""
    return [*_of_attempts(figures, limits), *_of_queue(figures, limits), *_of_budgets(figures)]


def _of_attempts(figures: Figures, limits: Thresholds) -> Iterator[Alert]:
    share = figures.failed / figures.ended if figures.ended else 0.0
    if share > limits.failure_share:
        yield Alert("HighFailureRate", f"{share:.0%} of attempts fail.")
    p95 = figures.latency_p95_seconds
    if p95 is not None and p95 > limits.latency_seconds:
        yield Alert("HighLatency", f"5 % of attempts take more than {p95 / 60:,.1f} minutes.")
    if figures.usd_last_hour > limits.cost_usd_per_hour:
        yield Alert("HighCost", f"Attempts of the last hour cost {figures.usd_last_hour:.2f} USD.")


def _of_queue(figures: Figures, limits: Thresholds) -> Iterator[Alert]:
    if figures.waiting > limits.queue_size:
        yield Alert("LargeQueue", f"{figures.waiting:,} recordings wait.")
    if figures.waiting and not figures.active:
        yield Alert("NoActiveWorkers", f"Recordings wait ({figures.waiting:,}); nobody works.")
    since = figures.waiting_since
    if since and not figures.done_last_hour and figures.now - since > timedelta(hours=1):
        hours = (figures.now - since) / timedelta(hours=1)
        yield Alert(
            "NothingProcessed", f"Recordings wait for {hours:.1f} hours; none was done in an hour."
        )
    if figures.backup_at and figures.now - figures.backup_at > _BACKUP_LIMIT:
        yield Alert("BackupMissing", f"The newest backup is of {figures.backup_at:%Y-%m-%d %H:%M}.")


_BUDGET_RULES: Final[dict[str, tuple[str, ...]]] = {
    "ok": (),
    "warn": ("BudgetNearlyUsed",),
    "stop": ("BudgetNearlyUsed", "BudgetReached"),
}


def _of_budgets(figures: Figures) -> Iterator[Alert]:
    """A limit that is reached is also nearly used up: two alerts, so that each begins once."""
    for level in figures.levels:
        for rule in _BUDGET_RULES[level.state]:
            tenant = "" if level.scope == "all" else level.scope
            yield Alert(rule, level.sentence, tenant, f"{level.scope}/{level.period}")


def percentile_95(values: Iterable[float]) -> float | None:
    """The 95th percentile by nearest rank; None without values."""
    found = sorted(values)
    return found[-(-len(found) * 95 // 100) - 1] if found else None
