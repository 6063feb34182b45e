"""Azure's shared access signatures (SAS), made with the account's key or a user delegation key.

`obstore.sign` is not used, for two reasons (docs/decisions/0008): it signs the quoted key, so Azure
refuses the URL of a key with a blank or an é; and its URLs start at this machine's time, so Azure
refuses them when the clock is ahead. The URLs made here have no start time. What is signed:
https://learn.microsoft.com/rest/api/storageservices/create-service-sas
https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

VERSION = "2023-11-03"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret that signs. identity: Azure's own fields for its owner and its validity."""

    secret: bytes
    identity: Mapping[str, str] | None = None  # skoid, sktid, skt, ske, sks, skv: in this order


class Sas:
    """Signs for one container. keys: returns a signing key that is valid until the given time."""

    def __init__(
        self, account: str, endpoint: str, container: str, keys: Callable[[datetime], SigningKey]
    ) -> None:
        self._container_url = f"{endpoint.rstrip('/')}/{container}"
        self._resource, self._keys = f"/blob/{account}/{container}", keys

    def of_blob(self, key: str, permission: str, until: datetime) -> str:
        """The URL of one blob. `permission` is r or w."""
        query = self._query(f"{self._resource}/{key}", "b", permission, until)
        return f"{self._container_url}/{quote(key, safe='/~')}?{query}"

    def of_listing(self, query: Mapping[str, str], until: datetime) -> str:
        """The URL of one page of the container's listing."""
        asked = urlencode(query, quote_via=quote)
        return f"{self._container_url}?{asked}&{self._query(self._resource, 'c', 'l', until)}"

    def _query(self, resource: str, kind: str, permission: str, until: datetime) -> str:
        key, end = self._keys(until), until.strftime("%Y-%m-%dT%H:%M:%SZ")
        # a stored policy's name; or an identity, two other users, and a correlation id
        owner = [""] if key.identity is None else [*key.identity.values(), "", "", ""]
        # permission, start, end, resource, owner, IP addresses, protocol, version, kind, snapshot,
        # encryption scope, and five response headers that are not overridden
        signed = [permission, "", end, resource, *owner, "", "", VERSION, kind, *[""] * 7]
        digest = hmac.new(key.secret, "\n".join(signed).encode(), hashlib.sha256).digest()
        query = {"sv": VERSION, "se": end, "sr": kind, "sp": permission, **(key.identity or {})}
        return urlencode({**query, "sig": b64encode(digest).decode()}, quote_via=quote, safe="")
