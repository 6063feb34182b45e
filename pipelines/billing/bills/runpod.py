"""RunPod's billing API: `/v2/billing/serverless`, and `/v1/billing/endpoints` as it was before.

A record is an endpoint's hour or day (`bucketSize`). It tells one amount for GPU, CPU, disk and
fee together; that is what run, boot and idle seconds have to explain.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pipelines.billing.invoices import BilledLine

from .fields import Record, moment, money, text

BACKEND = "runpod"
ONE_AT_A_TIME = True  # an endpoint has one amount for an hour: a day over it counts it twice
_BUCKETS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def is_mine(record: Record) -> bool:
    """Both forms name an endpoint and a bucket's start."""
    return bool({"endpointId", "serverlessId", "gpuTypeId"} & set(record)) and bool(
        {"time", "startTime"} & set(record)
    )


def lines(record: Record, bucket: str = "day") -> Iterator[BilledLine]:
    """The line of one record; `bucket` where the record does not tell its end.

    Raises:
        ValueError: a field is missing or cannot be read.
    """
    start = moment(record, "startTime", "time")
    endpoint = text(record, "serverlessId") or text(record, "endpointId")
    yield BilledLine(
        backend=BACKEND,
        bill=f"{start:%Y-%m}",
        invoice_id=f"{start:%Y-%m}",
        sku=endpoint or text(record, "gpuTypeId", "unknown"),
        category="compute",
        period_start=start,
        period_end=moment(record, "endTime") if record.get("endTime") else _end(start, bucket),
        amount=money(record, "totalAmount", "amount"),
        currency="USD",
        description="serverless endpoint",
    )


def _end(start: datetime, bucket: str) -> datetime:
    if bucket not in _BUCKETS:
        raise ValueError(f"buckets of a {bucket} cannot be told apart by day: ask for hour or day")
    try:
        return start + _BUCKETS[bucket]
    except OverflowError:
        raise ValueError(f"startTime {start.isoformat()} is beyond the times there are") from None
