"""What began and what is over: the alerts that hold now, against those that held before."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .rules import RULES, Alert, Severity

Kind = Literal["began", "over", "digest", "test"]


class Notice(BaseModel):
    """Something to be told. id: the same however often it is found out.

    tenant: empty for the house. alert: its key, which a pager needs to close it.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    kind: Kind
    severity: Severity
    title: str
    text: str
    at: datetime
    tenant: str = ""
    alert: str = ""


class Episode(BaseModel):
    """An alert from its first moment on. told: its beginning is."""

    model_config = ConfigDict(frozen=True)

    rule: str
    tenant: str = ""
    since: datetime
    told: bool = False


class Episodes(BaseModel):
    """By the key of the alert."""

    model_config = ConfigDict(frozen=True)

    open: dict[str, Episode] = Field(default_factory=dict)


def advance(
    before: Episodes, firing: Iterable[Alert], now: datetime
) -> tuple[Episodes, list[Notice]]:
    """The episodes from now on, and what is to be told: each beginning and each end once."""
    notices: list[Notice] = []
    after: dict[str, Episode] = {}
    for alert in firing:
        episode = before.open.get(alert.key) or Episode(
            rule=alert.rule, tenant=alert.tenant, since=now
        )
        if not episode.told and now - episode.since >= RULES[alert.rule].hold:
            episode = episode.model_copy(update={"told": True})
            notices.append(_began(alert, episode, now))
        after[alert.key] = episode
    for key, episode in before.open.items():
        if key not in after and episode.told:
            notices.append(_over(key, episode, now))
    return Episodes(open=after), notices


def _began(alert: Alert, episode: Episode, now: datetime) -> Notice:
    rule = RULES[alert.rule]
    return Notice(
        id=f"{alert.key}-{episode.since:%Y%m%dT%H%M%S}-began",
        kind="began",
        severity=rule.severity,
        title=_title(alert.rule, alert.tenant),
        text=f"{alert.sentence} {rule.advice}",
        at=now,
        tenant=alert.tenant,
        alert=alert.key,
    )


def _over(key: str, episode: Episode, now: datetime) -> Notice:
    minutes = (now - episode.since).total_seconds() / 60
    return Notice(
        id=f"{key}-{episode.since:%Y%m%dT%H%M%S}-over",
        kind="over",
        severity=RULES[episode.rule].severity if episode.rule in RULES else "info",
        title=_title(episode.rule, episode.tenant),
        text=f"Over after {minutes:,.0f} minutes.",
        at=now,
        tenant=episode.tenant,
        alert=key,
    )


def _title(rule: str, tenant: str) -> str:
    return f"{rule} ({tenant})" if tenant else rule
