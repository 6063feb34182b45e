"""Recommendations, and which of them are worth showing."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

LEAST_USD = Decimal(1)  # saved in the period; less is not worth reading about
LEAST_SHARE = Decimal("0.005")  # of what was spent


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do, what it would have saved in the period, and the figures behind it."""

    title: str
    what_to_do: str
    saving_usd: Decimal
    rests_on: str


def worth_showing(found: Iterable[Advice], spent_usd: Decimal) -> list[Advice]:
    """The recommendations that save enough, largest saving first."""
    least = max(LEAST_USD, spent_usd * LEAST_SHARE)
    return sorted(
        (one for one in found if one.saving_usd >= least), key=lambda one: -one.saving_usd
    )
