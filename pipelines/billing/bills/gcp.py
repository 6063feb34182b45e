"""Google Cloud's billing export (standard or detailed) out of BigQuery, JSON lines or CSV."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pipelines.billing.invoices import BilledLine, Category

from .fields import Record, currency, moment, money, nested, objects, pairs, text

BACKEND = "gcp_gpu"
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
    )
    yield line
    taken_off = [money(one, "amount") for one in objects(record, "credits")]
    if taken_off:
        yield replace(line, category="credit", amount=sum(taken_off, Decimal(0)))


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
