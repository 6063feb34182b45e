"""Azure Blob Storage, through obstore."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from obstore.store import AzureStore

from escriba.settings import Settings

from .azure_login import log_in
from .azure_sas import Sas
from .base import StoredObject, UnusableObject
from .client_options import client_options
from .clock import utc_now
from .faults import Faults
from .link_patience import Patience
from .objects import Method, ObjectStorage
from .xml_listing import XmlPage, list_pages

_PAGE_LIFE: Final = timedelta(minutes=5)
_PAGE: Final = XmlPage("Blob", "Name", "Content-Length", "Etag", "Last-Modified", "NextMarker")
# Azure orders keys by UTF-16, and puts '/' first in accounts with a hierarchical namespace
_SAME_ORDER: Final = re.compile(r"[/-\ud7ff]*")
_PERMISSIONS: Final = {"GET": "r", "PUT": "w"}

_FAULTS: Final = Faults(
    refused=(
        "AuthenticationFailed",
        "AuthorizationFailure",
        "InvalidAuthenticationInfo",
        "NoAuthenticationInformation",
        "ClientAuthenticationError",
        "CredentialUnavailableError",
    ),
    credentials="AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or the identity of AZURE_LOGIN",
    endpoint="AZURE_STORAGE_ACCOUNT, AZURE_ENDPOINT_URL",
)


class AzureStorage(ObjectStorage):
    """A container of block blobs. A PUT without x-ms-blob-type is refused there."""

    put_headers: Mapping[str, str] = {**ObjectStorage.put_headers, "x-ms-blob-type": "BlockBlob"}

    def __init__(
        self,
        container: str,
        prefix: str,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        account = settings.azure_storage_account
        endpoint = settings.azure_endpoint_url or f"https://{account}.blob.core.windows.net"
        self._login = log_in(settings, endpoint, clock)
        self._sas = Sas(account, endpoint, container, self._login.signing_key)
        self._below, self._clock = f"{prefix}/" if prefix else "", clock

        def open_store(patience: Patience) -> AzureStore:
            options: dict[str, Any] = client_options(endpoint, settings, patience)
            options |= {"account_name": account, "endpoint": endpoint, **self._login.options}
            return AzureStore(container, prefix=prefix or None, **options)

        super().__init__(f"az://{container}/{prefix}", open_store, _FAULTS)

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject | UnusableObject]:
        """Read the whole listing, then sort it: Azure uses another order (docs/decisions/0008).

        The listing starts at the part of `after` that sorts the same way in both orders.
        """
        common_start = _SAME_ORDER.match(after)
        listed = super().list(prefix, common_start[0] if common_start else "")
        found = {one.key: one for one in listed if one.key > after}
        yield from (found[key] for key in sorted(found))

    def _sign(self, method: Method, key: str, life: timedelta, headers: Mapping[str, str]) -> str:  # noqa: ARG002  # a SAS signs no headers
        until = self._clock() + life
        return self._sas.of_blob(self._below + key, _PERMISSIONS[method], until)

    def _longest(self) -> timedelta:
        """Seven days with the account's key, six with an identity."""
        return self._login.life

    def _list_any_key(self, prefix: str, after: str) -> Iterator[StoredObject | UnusableObject]:  # noqa: ARG002
        """List from the start: a key that Azure puts before `after` may still sort later.

        https://learn.microsoft.com/rest/api/storageservices/list-blobs
        """

        def page_url(marker: str) -> str:
            query = {"restype": "container", "comp": "list", "prefix": self._below + prefix}
            if marker:
                query["marker"] = marker
            return self._sas.of_listing(query, self._clock() + _PAGE_LIFE)

        return list_pages(page_url, _PAGE, self._below, prefix)
