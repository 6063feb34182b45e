"""What a tenant is charged, as opposed to what it cost."""

from decimal import ROUND_HALF_EVEN, Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .cents import CENT

_HUNDREDTH = Decimal("0.01")


class ChargeTerms(BaseModel):
    """A price for an hour of audio, or a markup on the cost: 0.15 is 15 % more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd_per_audio_hour: Decimal | None = Field(None, ge=0, lt=1_000_000)
    markup: Decimal | None = Field(None, gt=-1, lt=1_000)

    @model_validator(mode="after")
    def _one_of_them(self) -> "ChargeTerms":
        if (self.usd_per_audio_hour is None) == (self.markup is None):
            raise ValueError("charge: set either usd_per_audio_hour or markup, not both")
        return self


def charged_hours(audio_seconds: Decimal) -> Decimal:
    """Hours to the hundredth, as the statement shows them, so that readers can check the charge."""
    return (audio_seconds / 3600).quantize(_HUNDREDTH, ROUND_HALF_EVEN)


def charge_usd(charge: ChargeTerms, cost_usd: Decimal, audio_seconds: Decimal) -> Decimal:
    """The charge in whole cents. cost_usd: in cents, as the statement shows it."""
    if charge.usd_per_audio_hour is not None:
        due = charged_hours(audio_seconds) * charge.usd_per_audio_hour
    else:
        due = cost_usd * (1 + (charge.markup or Decimal(0)))
    return due.quantize(CENT, ROUND_HALF_EVEN)
