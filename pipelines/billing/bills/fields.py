"""Fields of a line of a bill, read strictly: a bill that is misread is worse than none."""

import json
import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.billing.invoices import ROW_LIMIT

Record = Mapping[str, Any]


def money(record: Record, *names: str) -> Decimal:
    """The first of these fields that is there.

    Raises:
        ValueError: none is there, or it is no amount, or more than a row of the ledger holds.
    """
    name, value = _first(record, names)
    amount = _amount(value)
    if not amount.is_finite():
        raise ValueError(f"{name} {reprlib.repr(value)} is no amount of money")
    if abs(amount) >= ROW_LIMIT:
        raise ValueError(f"{name} {reprlib.repr(value)} is more than the ledger holds")
    return amount


def _amount(value: Any) -> Decimal:  # noqa: ANN401  # whatever JSON can say
    if not isinstance(value, str | int | float | Decimal):
        return Decimal("NaN")
    try:
        return Decimal(repr(value) if isinstance(value, float) else str(value))
    except (InvalidOperation, ValueError):  # an int of more digits than Python writes down
        return Decimal("NaN")


def moment(record: Record, *names: str) -> datetime:
    """The first of these fields that is there, in UTC; what names no zone is UTC.

    Raises:
        ValueError: none is there, or it is no time.
    """
    name, value = _first(record, names)
    if not isinstance(value, datetime):
        # BigQuery writes "2026-11-01 00:00:00 UTC"
        value = datetime.fromisoformat(str(value).removesuffix(" UTC"))
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{name} {value.isoformat()} is beyond the times there are") from None


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


def currency(record: Record, name: str) -> str:
    """USD where there is no such field at all.

    Raises:
        ValueError: it is there, and empty.
    """
    told = text(record, name).strip()
    if name in record and not told:
        raise ValueError(f"its {name} is empty: which currency is it?")
    return told or "USD"


def nested(record: Record, name: str) -> Any:  # noqa: ANN401  # whatever JSON can say
    """A field that is an object or a list, or the JSON of one; None where it is not there.

    Raises:
        ValueError: it is text, and no JSON.
    """
    value = record.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=str, parse_int=str) if value else None
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} {reprlib.repr(value)} is no JSON: {error.msg}") from error


def objects(record: Record, name: str) -> list[Record]:
    """A field that is a list of objects, or the JSON of one; none where it is not there.

    Raises:
        ValueError: it is something else.
    """
    found = nested(record, name) or []
    if isinstance(found, list) and all(isinstance(one, Mapping) for one in found):
        return found
    raise ValueError(f"{name} {reprlib.repr(found)} is no list of objects")


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
        raise ValueError(f"{name} {reprlib.repr(value)} is no list of keys and values") from None
