"""The bucket: one narrow Protocol, and the store behind each scheme of STORAGE_URL."""

from urllib.parse import urlsplit
from urllib.request import url2pathname

from pipelines.settings import Settings, SettingsError

from .base import Storage


def open_storage(settings: Settings) -> Storage:
    """The store that STORAGE_URL names. Makes no request.

    Raises:
        SettingsError: the URL is of no known kind.
    """
    from pathlib import Path  # noqa: PLC0415

    url = urlsplit(settings.bucket_url)
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
    raise SettingsError(
        f"STORAGE_URL: a URL with the scheme {url.scheme!r} is not supported; "
        "use file:///folder or s3://bucket/prefix."
    )
