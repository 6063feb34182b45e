"""Google Cloud Storage, through obstore and its XML API."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from obstore.store import GCSStore

from escriba.settings import Settings

from .base import StoredObject, UnusableObject
from .client_options import client_options
from .clock import utc_now
from .faults import Faults
from .gcs_login import Login, log_in
from .gcs_signing import Request, signed_url
from .link_patience import Patience
from .objects import Method, ObjectStorage
from .xml_listing import XmlPage, list_pages

_GOOGLE: Final = "https://storage.googleapis.com"
_PAGE_LIFE: Final = timedelta(minutes=5)
_PAGE: Final = XmlPage(
    "Contents", "Key", "Size", "ETag", "LastModified", "NextContinuationToken", url_encoded=True
)

_FAULTS: Final = Faults(
    refused=("AuthenticationRequired", "SignatureDoesNotMatch", "RefreshError", "status code: 401"),
    credentials="GOOGLE_APPLICATION_CREDENTIALS, or the service account of this machine",
    endpoint="GCS_ENDPOINT_URL",
)


class GcsStorage(ObjectStorage):
    """A Google Cloud Storage bucket. The condition of a create is part of the signature."""

    longer_life_advice = "set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file"
    create_headers: Mapping[str, str] = {"x-goog-if-generation-match": "0"}

    def __init__(
        self,
        bucket: str,
        prefix: str,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
        login: Callable[[Settings], Login] = log_in,
    ) -> None:
        self._bucket, self._below = bucket, f"{prefix}/" if prefix else ""
        self._endpoint, self._clock = settings.gcs_endpoint_url or _GOOGLE, clock
        given = login(settings)
        self._signer = given.signer

        def open_store(patience: Patience) -> GCSStore:
            options: dict[str, Any] = client_options(self._endpoint, settings, patience)
            options |= given.options
            if settings.gcs_endpoint_url:
                options["base_url"] = settings.gcs_endpoint_url
            return GCSStore(bucket, prefix=prefix or None, **options)

        super().__init__(f"gs://{bucket}/{prefix}", open_store, _FAULTS)

    def _sign(self, method: Method, key: str, life: timedelta, headers: Mapping[str, str]) -> str:
        path = f"/{self._bucket}/{self._below}{key}"
        wanted = Request(method, self._endpoint, path, headers)
        return signed_url(wanted, self._signer, life, self._clock())

    def _longest(self) -> timedelta:
        """Seven days with a key file; 12 hours where Google's signBlob signs."""
        return self._signer.life

    def _list_any_key(self, prefix: str, after: str) -> Iterator[StoredObject | UnusableObject]:
        """One page at a time: https://cloud.google.com/storage/docs/xml-api/get-bucket-list ."""

        def page_url(marker: str) -> str:
            query = {"list-type": "2", "encoding-type": "url", "prefix": self._below + prefix}
            if after:
                query["start-after"] = self._below + after
            if marker:
                query["continuation-token"] = marker
            wanted = Request("GET", self._endpoint, f"/{self._bucket}", query=query)
            return signed_url(wanted, self._signer, _PAGE_LIFE, self._clock())

        return list_pages(page_url, _PAGE, self._below, prefix)
