"""Looks at the figures once a minute, and tells what began and what is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Final
from zoneinfo import ZoneInfo

from escriba.alerts.episodes import Notice, advance
from escriba.alerts.outgoing import AlertState, queued, silent_channels
from escriba.alerts.rules import (
    FAILURE_MINUTES,
    LATENCY_MINUTES,
    Alert,
    Figures,
    Thresholds,
    alerts,
    percentile_95,
)
from escriba.billing.budget_burn import Level
from escriba.billing.spent_totals import Spent
from escriba.settings import Settings
from resources.alerts.alert_store import left_notices, read_state, write_state
from resources.alerts.deliver import deliver
from resources.alerts.open_attempts import open_attempts
from resources.alerts.recent_attempts import EndedAttempt, RecentAttempts
from resources.backups.newest_backup import newest_backup
from resources.gpu.open_engine import LimitCount
from resources.storage.base import Storage

from .cost_limits import cost_limits
from .tenants import read_tenants

_FAILED: Final = frozenset({"failed", "lost", "buried"})
_NO_ATTEMPT: Final = frozenset({"none", "stopped"})  # no job, or stopped by hand


@dataclass
class Watch:
    """What is kept between two looks of one process; everything else is in the bucket."""

    attempts: RecentAttempts = field(default_factory=RecentAttempts)
    spent: LimitCount = field(default_factory=LimitCount)
    looking: Lock = field(default_factory=Lock)

    def look(
        self, settings: Settings, storage: Storage, waiting_recordings: int, now: datetime
    ) -> str:
        """One look: decide, queue and send; returns a line for the log.

        Dagster gives a tick up after a minute, but its look goes on: the next one leaves it alone.
        waiting_recordings: in queued runs.

        Raises:
            StorageError: the bucket cannot be read; nothing is told or forgotten.
            SettingsError: TENANTS_FILE is not valid.
        """
        if not self.looking.acquire(blocking=False):
            return "The look before this one is not over: the bucket is slow."
        try:
            return self._look(settings, storage, waiting_recordings, now)
        finally:
            self.looking.release()

    def _look(
        self, settings: Settings, storage: Storage, waiting_recordings: int, now: datetime
    ) -> str:
        state, own = read_state(storage), settings.alert_rules == "escriba"
        firing: list[Alert] = []
        notices: list[Notice] = []
        keys: list[str] = []
        if own:
            figures = self.figures(settings, storage, waiting_recordings, now)
            firing = alerts(figures, thresholds(settings))
            episodes, notices = advance(state.episodes, firing, now)
            new = state.model_copy(update={"episodes": episodes})
        else:
            new = state.model_copy(update={"episodes": AlertState().episodes})
        for key, notice in left_notices(storage):
            keys.append(key)
            notices += [notice] if notice else []
        new = queued(new, notices, settings.alert_places, tenant_channels(settings))
        if new != state:
            write_state(storage, new)
        for key in keys:
            storage.delete(key)
        after = deliver(settings, storage, new, now, quiet=is_quiet(settings, now))
        return _line(len(firing), after)

    def figures(
        self, settings: Settings, storage: Storage, waiting_recordings: int, now: datetime
    ) -> Figures:
        """What the rules look at, at this moment."""
        ended = [one for one in self.attempts.read(storage, now) if one.status not in _NO_ATTEMPT]
        of_rate = [one for one in ended if _within(one, now, FAILURE_MINUTES)]
        done = [one for one in ended if one.status == "done"]
        recent = [one for one in done if _within(one, now, LATENCY_MINUTES)]
        open_now = open_attempts(storage)
        return Figures(
            now=now,
            ended=len(of_rate),
            failed=sum(one.status in _FAILED for one in of_rate),
            latency_p95_seconds=percentile_95(
                (one.ended_at - one.queued_at).total_seconds() for one in recent
            ),
            usd_last_hour=sum((one.cost_usd for one in ended), Decimal(0)),
            done_last_hour=len(done),
            waiting=open_now.waiting + waiting_recordings,
            active=open_now.active,
            waiting_since=open_now.waiting_since,
            levels=_levels(settings, self.spent.at(settings, storage, now), now),
            backup_at=newest_backup(storage),
        )


def _within(one: EndedAttempt, now: datetime, minutes: int) -> bool:
    return one.ended_at > now - timedelta(minutes=minutes)


def _levels(settings: Settings, spent: Spent | None, now: datetime) -> tuple[Level, ...]:
    from resources.costs_database.budget_levels import levels_now  # noqa: PLC0415

    if spent is None:
        return ()
    return tuple(levels_now(cost_limits(settings), spent, settings.budget_warn_share, now))


def thresholds(settings: Settings) -> Thresholds:
    """From which figures on something is wrong, by the settings that start with ALERT_."""
    return Thresholds(
        settings.alert_failure_share,
        settings.alert_latency_seconds,
        settings.alert_cost_usd_per_hour,
        settings.alert_queue_size,
    )


def tenant_channels(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """The names of each tenant's own channels.

    Raises:
        SettingsError: TENANTS_FILE is not valid.
    """
    tenants = read_tenants(settings.tenants_file).items()
    return {name: one.alert_channels for name, one in tenants if one.alert_channels}


def is_quiet(settings: Settings, now: datetime) -> bool:
    """Whether now lies in ALERT_QUIET_HOURS."""
    hours = settings.quiet_hours
    return hours is not None and hours.contain(now.astimezone(ZoneInfo(settings.nightly_timezone)))


def _line(firing: int, state: AlertState) -> str:
    waiting = sum(len(one.queue) for one in state.channels.values())
    told = f"{firing:,} conditions hold; {waiting:,} messages wait."
    return " ".join([told, *silent_channels(state)])
