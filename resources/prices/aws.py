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
_CONNECT_SECONDS = 10  # somebody waits for it; botocore's minute is tried five times


def spot_offers(settings: Settings, book: PriceBook, now: datetime) -> list[Offer]:
    """Of the machines that the book has, in AWS_REGION.

    Raises:
        BackendUnavailableError: no credentials, EC2 does not answer or refuses, or it has none.
    """
    import botocore.exceptions  # noqa: PLC0415  # 0.5 s

    types = sorted({price.sku for price in book.prices if price.backend == "aws_gpu"})
    if not types:
        return []
    try:
        history = _history(_client(settings), types, now)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise BackendUnavailableError(_trouble(error, settings)) from error
    if not history:
        raise BackendUnavailableError(
            f"EC2 has no spot prices of {', '.join(types)} in AWS_REGION={settings.aws_region}."
        )
    source = f"EC2 spot history of {settings.aws_region}, mean of {_DAYS} days"
    return [
        Offer("aws_gpu", type_, "machine_hour", _of_zones(zones, now), source)
        for type_, zones in sorted(history.items())
    ]


def _trouble(error: Exception, settings: Settings) -> str:
    """What to do: set credentials, mend the network, or give the credentials their right."""
    import botocore.exceptions as of_aws  # noqa: PLC0415

    name, region = type(error).__name__, settings.aws_region
    if isinstance(error, of_aws.ConnectionError | of_aws.HTTPClientError):
        return f"EC2 does not answer at {_url(settings)} ({name}): look at the network, AWS_REGION."
    if isinstance(error, of_aws.ClientError):
        code = error.response.get("Error", {}).get("Code", name)
        return (
            f"EC2 does not tell its spot prices ({code}): the credentials must be valid and may "
            f"call ec2:DescribeSpotPriceHistory in AWS_REGION={region}."
        )
    if isinstance(error, of_aws.NoCredentialsError | of_aws.PartialCredentialsError):
        return (
            "AWS is not asked, since credentials are missing: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a profile or role of AWS's own chain."
        )
    return f"AWS is not asked ({name}): look at its credentials and AWS_REGION={region}."


def _url(settings: Settings) -> str:
    return settings.aws_ec2_url or f"https://ec2.{settings.aws_region}.amazonaws.com"


def _client(settings: Settings) -> Any:  # noqa: ANN401  # boto3 makes its classes as it goes
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    keys: dict[str, str] = {}
    if not settings.aws_endpoint_url:  # else they are of a store that is not AWS
        keys = {
            "aws_access_key_id": settings.aws_access_key_id.get_secret_value(),
            "aws_secret_access_key": settings.aws_secret_access_key.get_secret_value(),
            "aws_session_token": settings.aws_session_token.get_secret_value(),
        }
    given = {name: value for name, value in keys.items() if value}
    region, url = settings.aws_region, _url(settings)
    config = Config(connect_timeout=_CONNECT_SECONDS)
    return boto3.client("ec2", region_name=region, endpoint_url=url, config=config, **given)


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
