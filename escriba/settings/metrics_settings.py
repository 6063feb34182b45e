from datetime import date

from pydantic import Field, SecretStr, field_validator

from .base import SettingsGroup
from .field_types import HeaderKey, check_length, comma_separated

_SHORTEST_TOKEN = 16


class MetricsSettings(SettingsGroup):
    """What `escriba up` serves for Prometheus and Datadog."""

    metrics: bool = Field(
        default=True,
        description="Serve metrics with `escriba up`, at the port after that of the files.",
    )
    metrics_token: HeaderKey = Field(
        SecretStr(""),
        description="Token that Prometheus sends to read the metrics, of at least 16 characters. "
        "Empty: they are served to this machine alone.",
    )
    metrics_tenants: int = Field(
        20,
        ge=0,
        le=500,
        description="Tenants with series of their own in the metrics; all others are `other`.",
    )
    credentials_end: str = Field(
        "",
        description="Comma-separated days on which keys and tokens end, for an alert 14 days "
        "before: RUNPOD_API_KEY=2027-03-31,AWS_ACCESS_KEY_ID=2027-06-30. Empty: unknown.",
    )

    @field_validator("metrics_token")
    @classmethod
    def _check_token(cls, token: SecretStr) -> SecretStr:
        return check_length(token, _SHORTEST_TOKEN)

    @field_validator("credentials_end")
    @classmethod
    def _check_ends(cls, text: str) -> str:
        for one in comma_separated(text):
            name, _, day = one.partition("=")
            try:
                date.fromisoformat(day.strip())
            except ValueError:
                raise ValueError(
                    f"{one!r} is not a name and a day such as RUNPOD_API_KEY=2027-03-31"
                ) from None
            if not name.strip():
                raise ValueError(f"{one!r} has no name before the day")
        return text

    @property
    def credential_ends(self) -> dict[str, date]:
        """CREDENTIALS_END by name."""
        pairs = (one.partition("=") for one in comma_separated(self.credentials_end))
        return {name.strip(): date.fromisoformat(day.strip()) for name, _, day in pairs}
