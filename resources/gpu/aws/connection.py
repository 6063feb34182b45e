"""Clients of boto3 for AWS itself: whoever calls them retries, and nothing they do is logged."""

import logging
from typing import Any, Literal

from pydantic import SecretStr

from escriba.settings import Settings

CONNECT_SECONDS, READ_SECONDS = 5, 10
CONNECTIONS = 8


def connect(settings: Settings, service: Literal["batch", "ec2"], url: str) -> Any:  # noqa: ANN401
    """A client of a service in AWS_REGION. url: of another server; empty: AWS's.

    The credentials are those of the settings, unless they belong to a store that is not AWS.
    """
    import boto3  # noqa: PLC0415  # 0.5 s
    from botocore.config import Config  # noqa: PLC0415

    _hide_requests()
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        # a second SubmitJob makes a second job: the job's name has to be looked up first
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    session: Any = boto3.session.Session()  # the installed stubs know only S3
    return session.client(
        service,
        region_name=settings.aws_region,
        endpoint_url=url or None,
        config=config,
        aws_access_key_id=_own(settings, settings.aws_access_key_id),
        aws_secret_access_key=_own(settings, settings.aws_secret_access_key),
        aws_session_token=_own(settings, settings.aws_session_token),
    )


def _own(settings: Settings, key: SecretStr) -> str | None:
    if settings.aws_endpoint_url:  # the keys are of a store that is not AWS
        return None
    return key.get_secret_value() or None


def _hide_requests() -> None:
    """At DEBUG, botocore logs whole requests, the manifest's address included."""
    logger = logging.getLogger("botocore")
    logger.setLevel(max(logger.level, logging.INFO))
