"""Google Cloud's billing export (standard or detailed) from BigQuery, as JSON lines or CSV."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from escriba.backend_names import GCP_GPU
from escriba.billing.invoice_rows import BilledLine, Category

from .fields import Record, currency, moment, money, nested, objects, pairs, text

BACKEND = GCP_GPU
MAY_CORRECT = False  # a correction is a separate line
_NETWORK = ("network", "egress", "external ip", "data transfer", "nat gateway")
_STORAGE = ("storage", "pd capacity", "snapshot", "disk")


def is_mine(record: Record) -> bool:
    """Whether the record is a line of such an export, with nested or flattened names."""
    return "billing_account_id" in record and "usage_start_time" in record


def lines(record: Record, bucket: str = "hour") -> Iterator[BilledLine]:  # noqa: ARG001
    """The cost of one record, and a line for its credits, which are negative.

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
    credits_ = [money(one, "amount") for one in objects(record, "credits")]
    if credits_:
        yield replace(line, category="credit", amount=sum(credits_, Decimal(0)))


def only_grows(record: Record) -> bool:
    """Whether the record has its time of writing; then corrections are separate lines."""
    return bool(record.get("export_time"))


def _of(record: Record) -> Iterator[Any]:
    """Fields that distinguish lines of the same kind and hour, and the time of writing."""
    for name, part in (("project", "id"), ("resource", "global_name"), ("resource", "name")):
        yield _inside(record, name, part)
    if only_grows(record):
        yield moment(record, "export_time").isoformat()


def _rate(record: Record) -> Decimal | None:
    """Units of the bill's currency per USD, which Google writes on each line."""
    if not record.get("currency_conversion_rate"):
        return None
    rate = money(record, "currency_conversion_rate")
    if rate <= 0:
        raise ValueError(f"its currency_conversion_rate {rate} is not positive")
    return rate


def tags(record: Record) -> dict[str, str]:
    """The labels of the resource."""
    return pairs(record, "labels")


def _inside(record: Record, name: str, part: str) -> Any:  # noqa: ANN401  # any JSON value
    """A field such as `sku.id`, nested, or flattened to `sku_id` or `sku.id` in a CSV file."""
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
