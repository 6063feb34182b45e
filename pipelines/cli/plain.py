"""Values of the ledger as people and programs write them."""

import math
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:  # noqa: ANN401  # whatever a column holds
    """For JSON: money as text in plain digits, and null for what JSON has no word for."""
    if isinstance(value, Decimal):
        return f"{value:f}"  # `str` makes 0E-9 of a nano-zero
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def plain_text(value: Any) -> str:  # noqa: ANN401
    """For a table or CSV; empty for NULL."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
