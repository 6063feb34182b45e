"""Exact sums as cents that add up (largest remainder method)."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TypeVar

CENT = Decimal("0.01")
Key = TypeVar("Key")


def rounded(usd: Decimal) -> Decimal:
    """An amount rounded to the cent, halves to even."""
    return usd.quantize(CENT, ROUND_HALF_EVEN)


def in_cents(parts: Mapping[Key, Decimal], total: Decimal | None = None) -> dict[Key, Decimal]:
    """Each part in cents, rounded by less than one cent so that the parts add up to the total.

    total: in cents; by default the rounded sum of the parts. Parts may be negative. Among equal
    remainders the first ones are rounded up, so that the same parts give the same cents.

    Raises:
        ValueError: the total differs from the sum by more than rounding explains.
    """
    exact = sum(parts.values(), Decimal(0))
    whole = rounded(exact) if total is None else total
    floors = {key: usd.quantize(CENT, ROUND_FLOOR) for key, usd in parts.items()}
    missing = int((whole - sum(floors.values(), Decimal(0))) / CENT)
    if not 0 <= missing <= len(parts):
        raise ValueError(f"{whole} USD cannot be the rounded sum of parts that total {exact} USD")
    by_remainder = sorted(parts, key=lambda key: floors[key] - parts[key])
    more = set(by_remainder[:missing])
    return {key: usd + CENT if key in more else usd for key, usd in floors.items()}
