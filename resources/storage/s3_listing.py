"""Listing a bucket with keys that obstore cannot parse (docs/decisions/0002)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from escriba.settings import Settings

from .base import StorageError, StoredObject, UnusableObject
from .etags import version_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def list_any_key(
    bucket: str, root: str, prefix: str, after: str, settings: Settings
) -> Iterator[StoredObject | UnusableObject]:
    """Every key below root/prefix that sorts after `after`, relative to root."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    below = f"{root}/" if root else ""
    try:
        pages = (
            _client(settings)
            .get_paginator("list_objects_v2")
            .paginate(
                Bucket=bucket, Prefix=below + prefix, StartAfter=below + after if after else ""
            )
        )
        for page in pages:
            for found in page.get("Contents", ()):
                key = found["Key"].removeprefix(below)
                if not key.endswith("/"):  # consoles create such keys for empty folders
                    size, modified = found["Size"], found["LastModified"]
                    etag = version_of(found.get("ETag"), size, modified)
                    yield StoredObject(key, size, etag, modified)
    except (BotoCoreError, ClientError) as error:
        raise StorageError(
            f"{prefix!r} cannot be listed: {type(error).__name__}; check STORAGE_URL, "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from None


def _client(settings: Settings) -> "S3Client":
    import boto3  # noqa: PLC0415  # 0.5 s, and rarely needed
    from botocore.config import Config  # noqa: PLC0415

    style: Literal["virtual", "auto"] = "virtual" if settings.aws_virtual_hosts else "auto"
    return boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url or None,
        region_name=settings.aws_region,
        config=Config(s3={"addressing_style": style}),
        verify=str(settings.storage_ca_file) if settings.storage_ca_file else None,
        aws_access_key_id=settings.aws_access_key_id.get_secret_value() or None,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value() or None,
        aws_session_token=settings.aws_session_token.get_secret_value() or None,
    )
