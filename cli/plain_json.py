"""Ledger values as JSON and as text."""

import math
from decimal import Decimal
from typing import Any


def json_value(value: Any) -> Any:  # noqa: ANN401  # whatever a column holds
    """Return a JSON value: money as text in plain digits, infinities and NaN as null."""
    if isinstance(value, Decimal):
        return f"{value:f}"  # `str` writes 0E-9 for zero nanodollars
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): json_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    return value


def cell_text(value: Any) -> str:  # noqa: ANN401
    """Return the text of a table or CSV cell; empty for NULL."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
