"""The bucket: one small Protocol, and one store class for each scheme of STORAGE_URL."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import url2pathname

from escriba.settings import Settings, SettingsError

from .base import Storage
from .own_certificate import trust_own_certificate

# by scheme: the setting that names the bucket
_CLOUDS = {"s3": "S3_BUCKET", "gs": "GCS_BUCKET", "az": "AZURE_CONTAINER"}


def open_storage(settings: Settings) -> Storage:
    """The store that STORAGE_URL names. Makes no request, unless a credential chain needs one.

    Raises:
        SettingsError: the scheme is not supported, or credentials are missing.
    """
    url = urlsplit(settings.bucket_url)
    if url.scheme == "file":
        return _folder(url)
    if url.scheme in _CLOUDS and url.netloc:
        return _bucket(url, settings)
    raise SettingsError(f"STORAGE_URL: {_fault(settings.bucket_url)}")


def _folder(url: SplitResult) -> Storage:
    from .local import LocalStorage  # noqa: PLC0415

    if url.netloc:
        raise SettingsError(
            f"STORAGE_URL: file://{url.netloc}… names a host. Write a folder with three slashes, "
            f"as in file:///{url.netloc}."
        )
    return LocalStorage(Path(url2pathname(url.path)))


def _bucket(url: SplitResult, settings: Settings) -> Storage:
    """Each cloud's module is imported only when needed, since its libraries load slowly."""
    bucket, prefix = url.netloc, url.path.strip("/")
    trust_own_certificate(settings)
    if url.scheme == "gs":
        from .gcs import GcsStorage  # noqa: PLC0415

        return GcsStorage(bucket, prefix, settings)
    if url.scheme == "az":
        from .azure import AzureStorage  # noqa: PLC0415

        return AzureStorage(bucket, prefix, settings)
    from .s3 import S3Storage  # noqa: PLC0415

    return S3Storage(bucket, prefix, settings)


def _fault(url: str) -> str:
    """What is wrong with a STORAGE_URL, and how to write it."""
    scheme = urlsplit(url).scheme
    if scheme in _CLOUDS:
        name = _CLOUDS[scheme]
        return f"{url!r} does not name a bucket. Write {scheme}://bucket/prefix, or set {name}."
    if not scheme:
        return f"{url!r} has no scheme. Write a folder as {Path(url).absolute().as_uri()}."
    return (
        f"{url!r}: {scheme}:// is not supported. Use file:///folder, s3://bucket/prefix, "
        "gs://bucket/prefix or az://container/prefix."
    )
