"""Alerts: channels, quiet hours and thresholds."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from escriba.alerts.channels import Channel, read_channels, secrets_in
from escriba.alerts.quiet_hours import QuietHours, read_quiet_hours

from .base import SettingsGroup


def _check_channels(value: SecretStr) -> SecretStr:
    read_channels(value.get_secret_value())
    return value


def _check_hours(text: str) -> str:
    read_quiet_hours(text)
    return text


class AlertSettings(SettingsGroup):
    """Who is alerted, when, and from which figures on (docs/alerts.md)."""

    alert_channels: Annotated[SecretStr, AfterValidator(_check_channels)] = Field(
        SecretStr(""),
        description="Channels of alerts and digests: name=URL, separated by spaces. The URL is a "
        "webhook of Slack or Teams, any other https URL (JSON is posted to it), pagerduty://key, "
        "mail:address, or one of apprise's. Empty: none.",
    )
    alert_rules: Literal["escriba", "alertmanager"] = Field(
        "escriba",
        description="Who decides about alerts: `escriba`, every minute, or `alertmanager`, where "
        "Prometheus and Alertmanager run; Escriba then sends only digests.",
    )
    alert_quiet_hours: Annotated[str, AfterValidator(_check_hours)] = Field(
        "",
        description="Hours in NIGHTLY_TIMEZONE in which only critical alerts are sent, for example "
        "22:00-07:00; others wait. Empty: none.",
    )
    alert_failure_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="HighFailureRate: fraction of attempts that fail, for 5 minutes.",
    )
    alert_latency_seconds: float = Field(
        300,
        gt=0,
        description="HighLatency: seconds from the queue to the end that 5 % of attempts exceed, "
        "for 10 minutes. Raise it where long recordings or large nights are usual.",
    )
    alert_cost_usd_per_hour: Decimal = Field(
        Decimal(10),
        gt=0,
        description="HighCost: USD for attempts that ended within an hour, for 30 minutes.",
    )
    alert_queue_size: int = Field(
        100, ge=1, description="LargeQueue: recordings that wait, for 10 minutes."
    )

    @property
    def alert_places(self) -> tuple[Channel, ...]:
        """ALERT_CHANNELS, in order."""
        return read_channels(self.alert_channels.get_secret_value())

    @property
    def quiet_hours(self) -> QuietHours | None:
        """ALERT_QUIET_HOURS; None: no hour is quiet."""
        return read_quiet_hours(self.alert_quiet_hours)

    def further_secrets(self) -> list[str]:
        """The secret parts of the channels' URLs."""
        return [*super().further_secrets(), *secrets_in(self.alert_places)]
