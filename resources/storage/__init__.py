"""The bucket: one narrow Protocol, and the store behind each scheme of STORAGE_URL."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pipelines.settings import Settings, SettingsError

from .base import Storage


def open_storage(settings: Settings) -> Storage:
    """The store that STORAGE_URL names. Makes no request.

    Raises:
        SettingsError: the URL is of no known kind.
    """
    url = urlsplit(settings.bucket_url)
    if "@" in url.netloc:
        raise SettingsError(
            "STORAGE_URL: no credentials in it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if url.scheme == "file":
        if url.netloc:
            raise SettingsError(
                f"STORAGE_URL: file://{url.netloc}… names a machine; a folder has three slashes, "
                f"as in file:///{url.netloc}."
            )
        from .local import LocalStorage  # noqa: PLC0415

        return LocalStorage(Path(url2pathname(url.path)))
    if url.scheme == "s3" and url.netloc:
        from .s3 import S3Storage  # noqa: PLC0415

        return S3Storage(url.netloc, url.path.strip("/"), settings)
    raise SettingsError(f"STORAGE_URL: {_fault(settings.bucket_url)}")


def _fault(url: str) -> str:
    """What is wrong with a URL of a store, and how it is written."""
    scheme = urlsplit(url).scheme
    if scheme == "s3":
        return f"{url!r} names no bucket; write s3://bucket/prefix, or set S3_BUCKET."
    if not scheme:
        return f"{url!r} has no scheme; a folder is written {Path(url).absolute().as_uri()}."
    return f"{url!r}: {scheme}:// is not supported; use file:///folder or s3://bucket/prefix."
