"""Lists a bucket that holds keys which obstore cannot parse (docs/decisions/0002)."""

from collections.abc import Iterator

from pipelines.settings import Settings

from .base import Oddity, StorageError, Stored


def list_any_key(
    bucket: str, root: str, prefix: str, after: str, settings: Settings
) -> Iterator[Stored | Oddity]:
    """Every key below root/prefix, relative to root and later than `after`, whatever it holds."""
    import boto3  # noqa: PLC0415  # 0.5 s, and rarely needed
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    client = boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url or None,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id.get_secret_value() or None,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value() or None,
        aws_session_token=settings.aws_session_token.get_secret_value() or None,
    )
    below = f"{root}/" if root else ""
    try:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=below + prefix, StartAfter=below + after if after else ""
        )
        for page in pages:
            for found in page.get("Contents", ()):
                key = found["Key"].removeprefix(below)
                if not key.endswith("/"):  # what consoles make for an empty folder
                    etag = found["ETag"].strip('"')
                    yield Stored(key, found["Size"], etag, found["LastModified"])
    except (BotoCoreError, ClientError) as error:
        raise StorageError(f"{prefix!r} cannot be listed: {type(error).__name__}") from None
