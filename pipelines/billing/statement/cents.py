"""Exact sums as cents that add up: the largest remainders are rounded up, the others down."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TypeVar

CENT = Decimal("0.01")
Key = TypeVar("Key")


def rounded(usd: Decimal) -> Decimal:
    """To the cent; halves to even."""
    return usd.quantize(CENT, ROUND_HALF_EVEN)


def in_cents(parts: Mapping[Key, Decimal], total: Decimal | None = None) -> dict[Key, Decimal]:
    """Each part in cents, less than one away from itself; together they are the total.

    total: in cents; without it the sum of the parts, rounded. Parts may be below zero. Of equal
    remainders those that come first are rounded up, so that the same parts give the same cents.

    Raises:
        ValueError: the total is further from the sum than rounding explains.
    """
    exact = sum(parts.values(), Decimal(0))
    whole = rounded(exact) if total is None else total
    floors = {key: usd.quantize(CENT, ROUND_FLOOR) for key, usd in parts.items()}
    missing = int((whole - sum(floors.values(), Decimal(0))) / CENT)
    if not 0 <= missing <= len(parts):
        raise ValueError(f"{whole} USD cannot be the sum of parts that come to {exact}")
    by_remainder = sorted(parts, key=lambda key: floors[key] - parts[key])
    more = set(by_remainder[:missing])
    return {key: usd + CENT if key in more else usd for key, usd in floors.items()}
