"""Spot prices of EC2: the mean of the last week in each zone, and of the zones the middle one."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from pipelines.billing.catalogue import Offer, mean_price
from pipelines.billing.prices import PriceBook
from pipelines.settings import Settings
from resources.failures import BackendUnavailableError

_DAYS = 7  # a spot price moves by the hour; the book is for plans


def spot_offers(settings: Settings, book: PriceBook, now: datetime) -> list[Offer]:
    """Of the machines that the book has, in AWS_REGION.

    Raises:
        BackendUnavailableError: no credentials, or EC2 does not answer.
    """
    import botocore.exceptions  # noqa: PLC0415  # 0.5 s

    types = sorted({price.sku for price in book.prices if price.backend == "aws_gpu"})
    if not types:
        return []
    try:
        history = _history(_client(settings), types, now)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise BackendUnavailableError(
            f"AWS does not tell its spot prices ({type(error).__name__}): it needs credentials "
            "that may call ec2:DescribeSpotPriceHistory in AWS_REGION."
        ) from error
    source = f"EC2 spot history of {settings.aws_region}, mean of {_DAYS} days"
    return [
        Offer("aws_gpu", type_, "machine_hour", _of_zones(zones, now), source)
        for type_, zones in sorted(history.items())
    ]


def _client(settings: Settings) -> Any:  # noqa: ANN401  # boto3 makes its classes as it goes
    import boto3  # noqa: PLC0415

    keys: dict[str, str] = {}
    if not settings.aws_endpoint_url:  # else they are of a store that is not AWS
        keys = {
            "aws_access_key_id": settings.aws_access_key_id.get_secret_value(),
            "aws_secret_access_key": settings.aws_secret_access_key.get_secret_value(),
            "aws_session_token": settings.aws_session_token.get_secret_value(),
        }
    region = settings.aws_region
    url = settings.aws_ec2_url or f"https://ec2.{region}.amazonaws.com"
    given = {name: value for name, value in keys.items() if value}
    return boto3.client("ec2", region_name=region, endpoint_url=url, **given)


def _history(
    client: Any,  # noqa: ANN401
    types: list[str],
    now: datetime,
) -> dict[str, dict[str, list[tuple[datetime, Decimal]]]]:
    """By type and zone: when which price began."""
    pages = client.get_paginator("describe_spot_price_history").paginate(
        InstanceTypes=types,
        ProductDescriptions=["Linux/UNIX"],
        StartTime=now - timedelta(days=_DAYS),
        EndTime=now,
    )
    found: dict[str, dict[str, list[tuple[datetime, Decimal]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    since = now - timedelta(days=_DAYS)
    for page in pages:
        for one in page["SpotPriceHistory"]:
            began = max(one["Timestamp"], since)  # the first one was valid before
            found[one["InstanceType"]][one["AvailabilityZone"]].append(
                (began, Decimal(one["SpotPrice"]))
            )
    return found


def _of_zones(zones: dict[str, list[tuple[datetime, Decimal]]], now: datetime) -> Decimal:
    return median(mean_price(points, now) for points in zones.values())
