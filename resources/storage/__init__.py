"""The bucket: one narrow Protocol, and the store behind each scheme of STORAGE_URL."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import url2pathname

from pipelines.settings import Settings, SettingsError

from .base import Storage

# the setting that names a bucket of each scheme, and those of its credentials
_CLOUDS = {
    "s3": ("S3_BUCKET", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    "gs": ("GCS_BUCKET", "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": ("AZURE_CONTAINER", "AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY"),
}


def open_storage(settings: Settings) -> Storage:
    """The store that STORAGE_URL names. Makes no request, but where a cloud's chain must ask.

    Raises:
        SettingsError: the URL is of no known kind, or credentials are missing.
    """
    url = urlsplit(settings.bucket_url)
    if "@" in url.netloc:
        wanted = _CLOUDS[url.scheme][1] if url.scheme in _CLOUDS else "those of the store"
        raise SettingsError(f"STORAGE_URL: no credentials in it; set {wanted}.")
    if url.scheme == "file":
        return _folder(url)
    if url.scheme in _CLOUDS and url.netloc:
        return _bucket(url, settings)
    raise SettingsError(f"STORAGE_URL: {_fault(settings.bucket_url)}")


def _folder(url: SplitResult) -> Storage:
    from .local import LocalStorage  # noqa: PLC0415

    if url.netloc:
        raise SettingsError(
            f"STORAGE_URL: file://{url.netloc}… names a machine; a folder has three slashes, "
            f"as in file:///{url.netloc}."
        )
    return LocalStorage(Path(url2pathname(url.path)))


def _bucket(url: SplitResult, settings: Settings) -> Storage:
    """Each cloud's module is loaded where it is wanted: their libraries take their time."""
    bucket, prefix = url.netloc, url.path.strip("/")
    if url.scheme == "gs":
        from .gcs import GcsStorage  # noqa: PLC0415

        return GcsStorage(bucket, prefix, settings)
    if url.scheme == "az":
        from .azure import AzureStorage  # noqa: PLC0415

        return AzureStorage(bucket, prefix, settings)
    from .s3 import S3Storage  # noqa: PLC0415

    return S3Storage(bucket, prefix, settings)


def _fault(url: str) -> str:
    """What is wrong with a URL of a store, and how it is written."""
    scheme = urlsplit(url).scheme
    if scheme in _CLOUDS:
        name = _CLOUDS[scheme][0]
        return f"{url!r} names no bucket; write {scheme}://bucket/prefix, or set {name}."
    if not scheme:
        return f"{url!r} has no scheme; a folder is written {Path(url).absolute().as_uri()}."
    return (
        f"{url!r}: {scheme}:// is not supported; use file:///folder, s3://bucket/prefix, "
        "gs://bucket/prefix or az://container/prefix."
    )
