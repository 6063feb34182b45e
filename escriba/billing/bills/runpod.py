"""RunPod's billing API: `/v2/billing/serverless`, and the older `/v1/billing/endpoints`.

A record is an hour or day of an endpoint (`bucketSize`). It has one amount for GPU, CPU, disk and
fee together, which run, boot and idle seconds have to explain.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from escriba.backend_names import RUNPOD
from escriba.billing.invoice_rows import BilledLine

from .fields import Record, moment, money, text

BACKEND = RUNPOD
ONE_AT_A_TIME = True  # one amount per endpoint and hour: a day that overlaps it counts it twice
_BUCKETS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def is_mine(record: Record) -> bool:
    """Whether the record names an endpoint and a bucket's start, as both API versions do."""
    return bool({"endpointId", "serverlessId", "gpuTypeId"} & set(record)) and bool(
        {"time", "startTime"} & set(record)
    )


def lines(record: Record, bucket: str = "day") -> Iterator[BilledLine]:
    """The line of one record; `bucket`: its length if the record has no end.

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
        raise ValueError(f"a bucket of a {bucket} cannot be split into days: use hour or day")
    try:
        return start + _BUCKETS[bucket]
    except OverflowError:
        raise ValueError(f"startTime {start.isoformat()} is out of range") from None
