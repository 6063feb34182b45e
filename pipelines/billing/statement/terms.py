"""What a tenant is charged, beside what it cost."""

from decimal import ROUND_HALF_EVEN, Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .cents import CENT

_HUNDREDTH = Decimal("0.01")


class Charge(BaseModel):
    """A price for an hour of audio, or a markup on the cost: 0.15 is 15 % more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd_per_audio_hour: Decimal | None = Field(None, ge=0, lt=1_000_000)
    markup: Decimal | None = Field(None, gt=-1, lt=1_000)

    @model_validator(mode="after")
    def _one_of_them(self) -> "Charge":
        if (self.usd_per_audio_hour is None) == (self.markup is None):
            raise ValueError("charge: say usd_per_audio_hour or markup, and not both")
        return self


def charged_hours(audio_seconds: Decimal) -> Decimal:
    """Hours to the hundredth, as the statement shows them: who multiplies finds the same sum."""
    return (audio_seconds / 3600).quantize(_HUNDREDTH, ROUND_HALF_EVEN)


def charge_usd(charge: Charge, cost_usd: Decimal, audio_seconds: Decimal) -> Decimal:
    """In whole cents. cost_usd: as the statement shows it, in cents too."""
    if charge.usd_per_audio_hour is not None:
        due = charged_hours(audio_seconds) * charge.usd_per_audio_hour
    else:
        due = cost_usd * (1 + (charge.markup or Decimal(0)))
    return due.quantize(CENT, ROUND_HALF_EVEN)
