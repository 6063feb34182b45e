"""Google Cloud's billing export (standard or detailed) out of BigQuery, JSON lines or CSV."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pipelines.billing.invoices import BilledLine, Category

from .fields import Record, currency, moment, money, nested, objects, pairs, text

BACKEND = "gcp_gpu"
MAY_CORRECT = False  # what was wrong gets a line of its own
_NETWORK = ("network", "egress", "external ip", "data transfer", "nat gateway")
_STORAGE = ("storage", "pd capacity", "snapshot", "disk")


def is_mine(record: Record) -> bool:
    """Whether it is a line of such an export, with nested or with flattened names."""
    return "billing_account_id" in record and "usage_start_time" in record


def lines(record: Record, bucket: str = "hour") -> Iterator[BilledLine]:  # noqa: ARG001
    """The cost of one record, and a line for its credits, which are below zero.

    Raises:
        ValueError: a field is missing or cannot be read.
    """
    month = str(_inside(record, "invoice", "month") or "")
    service = str(_inside(record, "service", "description") or "")
    sku = str(_inside(record, "sku", "description") or "")
    account = text(record, "billing_account_id")
    line = BilledLine(
        backend=BACKEND,
        bill=f"{account}/{month}",
        invoice_id=f"{account}/{month}",
        sku=f"{service}/{_inside(record, 'sku', 'id') or sku}",
        category=_category(text(record, "cost_type", "regular"), f"{service} {sku}".casefold()),
        period_start=moment(record, "usage_start_time"),
        period_end=moment(record, "usage_end_time"),
        amount=money(record, "cost"),
        currency=currency(record, "currency"),
        description=sku,
        of=" ".join(str(part) for part in _of(record) if part),
        units_per_usd=_rate(record),
    )
    yield line
    taken_off = [money(one, "amount") for one in objects(record, "credits")]
    if taken_off:
        yield replace(line, category="credit", amount=sum(taken_off, Decimal(0)))


def only_grows(record: Record) -> bool:
    """Whether it says when it was written: then what is corrected is a line of its own."""
    return bool(record.get("export_time"))


def _of(record: Record) -> Iterator[Any]:
    """What tells lines of one kind and hour apart, and when Google wrote this one."""
    for name, part in (("project", "id"), ("resource", "global_name"), ("resource", "name")):
        yield _inside(record, name, part)
    if only_grows(record):
        yield moment(record, "export_time").isoformat()


def _rate(record: Record) -> Decimal | None:
    """Units of the bill's currency for a USD, as Google has it on each line."""
    if not record.get("currency_conversion_rate"):
        return None
    rate = money(record, "currency_conversion_rate")
    if rate <= 0:
        raise ValueError(f"its currency_conversion_rate {rate} is not above 0")
    return rate


def tags(record: Record) -> dict[str, str]:
    """Labels of the project's resources."""
    return pairs(record, "labels")


def _inside(record: Record, name: str, part: str) -> Any:  # noqa: ANN401  # whatever JSON can say
    """`sku.id`, whether it is nested, or flattened into `sku_id` or `sku.id` for a CSV file."""
    for flat in (f"{name}.{part}", f"{name}_{part}"):
        if flat in record:
            return record[flat]
    value = nested(record, name)
    return value.get(part) if isinstance(value, dict) else None


def _category(cost_type: str, words: str) -> Category:
    if cost_type == "tax":
        return "tax"
    if cost_type != "regular":
        return "other"
    for category, names in (("network", _NETWORK), ("storage", _STORAGE)):
        if any(name in words for name in names):
            return category  # type: ignore[return-value]  # one of Category
    return "compute" if "compute engine" in words or "gpu" in words else "other"
