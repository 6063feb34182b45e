"""Fields of a line of a bill, read strictly: a bill that is misread is worse than none."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Record = Mapping[str, Any]


def money(record: Record, *names: str) -> Decimal:
    """The first of these fields that is there.

    Raises:
        ValueError: none is there, or it is no amount.
    """
    name, value = _first(record, names)
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValueError(f"{name} {value!r} is no amount of money")
    return amount


def moment(record: Record, *names: str) -> datetime:
    """The first of these fields that is there, in UTC; what names no zone is UTC.

    Raises:
        ValueError: none is there, or it is no time.
    """
    _, value = _first(record, names)
    if not isinstance(value, datetime):
        # BigQuery writes "2026-11-01 00:00:00 UTC"
        value = datetime.fromisoformat(str(value).removesuffix(" UTC"))
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _first(record: Record, names: tuple[str, ...]) -> tuple[str, Any]:
    """Of these fields the first that is there, and its name."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return name, value
    raise ValueError(f"it has no {' or '.join(names)}")


def text(record: Record, name: str, default: str = "") -> str:
    """A field as text; `default` where it is not there."""
    value = record.get(name)
    return default if value is None else str(value)


def nested(record: Record, name: str) -> Any:  # noqa: ANN401  # whatever JSON can say
    """A field that is an object or a list, or the JSON of one; None where it is not there."""
    value = record.get(name)
    if isinstance(value, str):
        return json.loads(value) if value else None
    return value


def pairs(value: Any) -> dict[str, str]:  # noqa: ANN401  # a mapping, or a list in one of two forms
    """Tags: a mapping, [("key", "value")] as Parquet has it, or [{"key": …, "value": …}]."""
    if not value:
        return {}
    if isinstance(value, Mapping):
        return {str(key): str(one) for key, one in value.items()}
    return dict(
        (str(one["key"]), str(one["value"])) if isinstance(one, Mapping) else (one[0], one[1])
        for one in value
    )
