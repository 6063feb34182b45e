"""Fields of a bill's line, read strictly: a misread bill is worse than none."""

import json
import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from escriba.billing.invoice_rows import ROW_LIMIT

Record = Mapping[str, Any]


def money(record: Record, *names: str) -> Decimal:
    """The first of these fields that is present, as an amount.

    Raises:
        ValueError: none is present, or it is not an amount, or too large for the ledger.
    """
    name, value = _first(record, names)
    amount = _amount(value)
    if not amount.is_finite():
        raise ValueError(f"{name} {reprlib.repr(value)} is not an amount of money")
    if abs(amount) >= ROW_LIMIT:
        raise ValueError(f"{name} {reprlib.repr(value)} is more than the ledger can store")
    return amount


def _amount(value: Any) -> Decimal:  # noqa: ANN401  # any JSON value
    if not isinstance(value, str | int | float | Decimal):
        return Decimal("NaN")
    try:
        return Decimal(repr(value) if isinstance(value, float) else str(value))
    except (InvalidOperation, ValueError):  # an int with more digits than Python converts
        return Decimal("NaN")


def moment(record: Record, *names: str) -> datetime:
    """The first of these fields that is present, in UTC; a time without a zone is UTC.

    Raises:
        ValueError: none is present, or it is not a time.
    """
    name, value = _first(record, names)
    if not isinstance(value, datetime):
        # BigQuery writes "2026-11-01 00:00:00 UTC"
        value = datetime.fromisoformat(str(value).removesuffix(" UTC"))
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{name} {value.isoformat()} is out of range") from None


def _first(record: Record, names: tuple[str, ...]) -> tuple[str, Any]:
    """The name and value of the first of these fields that is present."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return name, value
    raise ValueError(f"it has no {' or '.join(names)}")


def text(record: Record, name: str, default: str = "") -> str:
    """A field as text; `default` if it is missing."""
    value = record.get(name)
    return default if value is None else str(value)


def currency(record: Record, name: str) -> str:
    """The currency code; USD if the record has no such field.

    Raises:
        ValueError: the field is present but empty.
    """
    code = text(record, name).strip()
    if name in record and not code:
        raise ValueError(f"its {name} is empty; it must name the currency")
    return code or "USD"


def nested(record: Record, name: str) -> Any:  # noqa: ANN401  # any JSON value
    """A field with an object or a list, or the JSON of one; None if it is missing.

    Raises:
        ValueError: it is text that is not JSON.
    """
    value = record.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=str, parse_int=str) if value else None
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} {reprlib.repr(value)} is not JSON: {error.msg}") from error


def objects(record: Record, name: str) -> list[Record]:
    """A field with a list of objects, or the JSON of one; empty if it is missing.

    Raises:
        ValueError: it is something else.
    """
    found = nested(record, name) or []
    if isinstance(found, list) and all(isinstance(one, Mapping) for one in found):
        return found
    raise ValueError(f"{name} {reprlib.repr(found)} is not a list of objects")


def pairs(record: Record, name: str) -> dict[str, str]:
    """Tags: a mapping, [("key", "value")] as Parquet has it, or [{"key": …, "value": …}].

    Raises:
        ValueError: it is none of these.
    """
    value = nested(record, name)
    if not value:
        return {}
    try:
        if isinstance(value, Mapping):
            return {str(key): str(one) for key, one in value.items()}
        return dict(
            (str(one["key"]), str(one["value"])) if isinstance(one, Mapping) else (one[0], one[1])
            for one in value
        )
    except (LookupError, TypeError):
        raise ValueError(f"{name} {reprlib.repr(value)} is not a list of keys and values") from None
