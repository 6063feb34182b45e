"""EC2 spot prices: the mean of the last week in each zone, and the median of the zones."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from escriba.backend_names import AWS_GPU
from escriba.billing.price_book import PriceBook
from escriba.billing.price_changes import PriceOffer, mean_price
from escriba.errors import BackendUnavailableError
from escriba.settings import Settings
from resources.ec2_client import ec2_client, ec2_url

_DAYS = 7  # spot prices change hourly, and the price book is for planning


def spot_offers(settings: Settings, book: PriceBook, now: datetime) -> list[PriceOffer]:
    """Offers for the machines in the price book, in AWS_REGION.

    Raises:
        BackendUnavailableError: no credentials, EC2 does not answer or refuses, or has no prices.
    """
    import botocore.exceptions  # noqa: PLC0415  # 0.5 s

    types = sorted({price.sku for price in book.prices if price.backend == AWS_GPU})
    if not types:
        return []
    try:
        history = _history(ec2_client(settings), types, now)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise BackendUnavailableError(_trouble(error, settings)) from error
    if not history:
        raise BackendUnavailableError(
            f"EC2 has no spot prices for {', '.join(types)} in AWS_REGION={settings.aws_region}. "
            "Choose another region."
        )
    source = f"EC2 spot history of {settings.aws_region}, mean of {_DAYS} days"
    return [
        PriceOffer(AWS_GPU, type_, "machine_hour", _of_zones(zones, now), source)
        for type_, zones in sorted(history.items())
    ]


def _trouble(error: Exception, settings: Settings) -> str:
    """The error text: set credentials, check the network, or grant the permission."""
    import botocore.exceptions as of_aws  # noqa: PLC0415

    name, region = type(error).__name__, settings.aws_region
    if isinstance(error, of_aws.ConnectionError | of_aws.HTTPClientError):
        return (
            f"EC2 does not answer at {ec2_url(settings)} ({name}). Check the network, AWS_REGION."
        )
    if isinstance(error, of_aws.ClientError):
        code = error.response.get("Error", {}).get("Code", name)
        return (
            f"EC2 refuses to list its spot prices ({code}). The credentials must be valid, with "
            f"the permission ec2:DescribeSpotPriceHistory in AWS_REGION={region}."
        )
    if isinstance(error, of_aws.NoCredentialsError | of_aws.PartialCredentialsError):
        return (
            "AWS prices are skipped: credentials are missing. Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a profile or role of AWS's credential chain."
        )
    return f"AWS prices are skipped ({name}). Check the credentials and AWS_REGION={region}."


def _history(
    client: Any,  # noqa: ANN401
    types: list[str],
    now: datetime,
) -> dict[str, dict[str, list[tuple[datetime, Decimal]]]]:
    """By type and zone: the start times of prices."""
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
