"""AWS Cost and Usage Report 2.0 (Data Exports), as CSV or Parquet with its original columns."""

from collections.abc import Iterator
from datetime import datetime

from escriba.backend_names import AWS_GPU
from escriba.billing.invoice_rows import BilledLine, Category

from .fields import Record, currency, moment, money, pairs, text

BACKEND = AWS_GPU
MAY_CORRECT = True  # a later report may change the amount of an earlier line
_CREDITS = {"Credit", "Refund"}  # and all discounts: Edp, Spp, Bundled, PrivateRate …
_NETWORK = ("DataTransfer", "Bytes", "PublicIPv4", "NatGateway")
_STORAGE = ("EBS:", "TimedStorage", "Storage", "Requests-Tier")
# fields that distinguish lines of the same kind and hour; tags do not, since they may come later
_OF = (
    "line_item_usage_account_id",
    "line_item_resource_id",
    "line_item_operation",
    "line_item_availability_zone",
)
_COMPUTE = ("BoxUsage", "SpotUsage", "Fargate", "HostUsage")


def is_mine(record: Record) -> bool:
    """Whether the record is a line of such a report."""
    return "line_item_unblended_cost" in record


def lines(record: Record, bucket: str = "hour") -> Iterator[BilledLine]:  # noqa: ARG001
    """The line of one record, at its unblended cost.

    The invoice number is empty until the month ends, so the bill is the account's month.

    Raises:
        ValueError: a field is missing or cannot be read.
    """
    start = moment(record, "line_item_usage_start_date")
    month = _month(record, start)
    payer = text(record, "bill_payer_account_id", "unknown")
    usage = text(record, "line_item_usage_type")
    yield BilledLine(
        backend=BACKEND,
        bill=f"{payer}/{month}",
        invoice_id=text(record, "bill_invoice_id") or month,
        sku=f"{text(record, 'line_item_product_code')}/{usage}",
        category=_category(text(record, "line_item_line_item_type"), usage),
        period_start=start,
        period_end=moment(record, "line_item_usage_end_date"),
        amount=money(record, "line_item_unblended_cost"),
        currency=currency(record, "line_item_currency_code"),
        description=text(record, "line_item_line_item_description"),
        of=" ".join(filter(None, (text(record, name) for name in _OF))),
        line_id=text(record, "identity_line_item_id"),
    )


def tags(record: Record) -> dict[str, str]:
    """The resource tags, such as user_purpose."""
    return pairs(record, "resource_tags")


def _month(record: Record, start: datetime) -> str:
    has_period = record.get("bill_billing_period_start_date")
    month = moment(record, "bill_billing_period_start_date") if has_period else start
    return f"{month:%Y-%m}"


def _category(kind: str, usage: str) -> Category:
    if kind == "Tax":
        return "tax"
    if kind in _CREDITS or kind.endswith("Discount"):
        return "credit"
    named: tuple[tuple[Category, tuple[str, ...]], ...] = (
        ("compute", _COMPUTE),
        ("network", _NETWORK),
        ("storage", _STORAGE),
    )
    for category, words in named:
        if any(word in usage for word in words):
            return category
    return "other"
