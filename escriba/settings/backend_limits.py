"""BACKEND_DAILY_LIMITS: amounts in USD by backend."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator

from escriba.backend_names import BACKENDS

from .field_types import comma_separated


def limits_by_backend(text: str) -> dict[str, Decimal]:
    """The amounts of `backend=usd,backend=usd`.

    Raises:
        ValueError: a pair cannot be read, or names no backend of this version, or one twice.
    """
    found: dict[str, Decimal] = {}
    for pair in comma_separated(text):
        backend, _, usd = (part.strip() for part in pair.partition("="))
        if backend not in BACKENDS:
            raise ValueError(
                f"this version has no backend {backend!r}; it has {', '.join(BACKENDS)}"
            )
        if backend in found:
            raise ValueError(f"{backend} has two limits; write one")
        found[backend] = _amount(pair, usd)
    return found


def _amount(pair: str, usd: str) -> Decimal:
    try:
        amount = Decimal(usd)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{pair!r} has no amount in USD; write for example runpod=20")
    return amount


def _checked(text: str) -> str:
    limits_by_backend(text)
    return text


BackendLimits = Annotated[str, AfterValidator(_checked)]
