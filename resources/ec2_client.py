"""A client of EC2 in AWS_REGION, with the credentials of the settings."""

from typing import Any

from pydantic import SecretStr

from escriba.settings import Settings

# a user waits, or the end of a job; botocore's default is a minute, tried five times
_CONNECT_SECONDS = 10
_READ_SECONDS = 20


def ec2_url(settings: Settings) -> str:
    """The address of EC2 in AWS_REGION."""
    return settings.aws_ec2_url or f"https://ec2.{settings.aws_region}.amazonaws.com"


def ec2_client(settings: Settings) -> Any:  # noqa: ANN401  # the stubs know only the machines of their day
    """A client that makes no request yet."""
    import boto3  # noqa: PLC0415  # 0.5 s
    from botocore.config import Config  # noqa: PLC0415

    def own(key: SecretStr) -> str | None:
        if settings.aws_endpoint_url:  # the keys are of a store that is not AWS
            return None
        return key.get_secret_value() or None

    return boto3.client(
        "ec2",
        region_name=settings.aws_region,
        endpoint_url=ec2_url(settings),
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 2},
        ),
        aws_access_key_id=own(settings.aws_access_key_id),
        aws_secret_access_key=own(settings.aws_secret_access_key),
        aws_session_token=own(settings.aws_session_token),
    )
