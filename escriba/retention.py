"""How long each kind of thing is kept; decisions alone, nothing is read or deleted here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["originals", "working_audio", "job_records", "metrics", "quarantine", "temporary"]
KINDS: Final[tuple[Kind, ...]] = (
    "originals",
    "working_audio",
    "job_records",
    "metrics",
    "quarantine",
    "temporary",
)
# the longest life of a signed address (docs/storage.md): nothing temporary is of use after it
TEMPORARY_DAYS: Final = 7
_SETTING: Final[Mapping[Kind, str]] = {
    "originals": "originals_days",
    "working_audio": "originals_days",  # the same words, decoded
    "job_records": "job_records_days",
    "metrics": "metrics_days",
    "quarantine": "quarantine_days",
}


class TenantAges(BaseModel):
    """Days that a tenant's things are kept, where they differ from the settings; 0: forever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    originals_days: int | None = Field(None, ge=0)
    job_records_days: int | None = Field(None, ge=0)
    metrics_days: int | None = Field(None, ge=0)
    quarantine_days: int | None = Field(None, ge=0)


@dataclass(frozen=True)
class Ages:
    """Days by setting (`originals_days`, …), and what tenants have instead of them."""

    days: Mapping[str, int]
    tenants: Mapping[str, TenantAges] = field(default_factory=dict)

    def is_past(self, kind: Kind, tenant: str, at: datetime, now: datetime) -> bool:
        """Whether a thing of that kind, last of use at `at`, has passed its age."""
        days = self.days_of(kind, tenant)
        return days > 0 and now - at > timedelta(days=days)

    def days_of(self, kind: Kind, tenant: str) -> int:
        """Days that a tenant's things of that kind are kept; 0: forever."""
        if kind == "temporary":
            return TEMPORARY_DAYS
        name = _SETTING[kind]
        own = getattr(self.tenants.get(tenant), name, None)
        return self.days[name] if own is None else int(own)
