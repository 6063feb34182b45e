"""Shared access signatures of Azure, by the account's key or by one that an identity was given.

Not by `obstore.sign`, for two reasons (docs/decisions/0008): it signs the quoted key, so that a
blank or an é in one makes an address that is refused; and it makes them valid from this machine's
own time on, so that a clock which is ahead does the same. These have no beginning. What is signed:
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
    """What signs; `identity` says whose it is and how long it is good for, in Azure's words."""

    secret: bytes
    identity: Mapping[str, str] | None = None  # skoid, sktid, skt, ske, sks, skv: in this order


class Sas:
    """Signs for one container. `keys` gives one that is good until the time it is told."""

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
        # a stored policy's name; or an identity, two other users, and a correlation
        whose = [""] if key.identity is None else [*key.identity.values(), "", "", ""]
        # permission, start, end, resource, whose, addresses, protocol, version, kind, snapshot,
        # encryption scope, and five headers of the answer that stay as they are
        signed = [permission, "", end, resource, *whose, "", "", VERSION, kind, *[""] * 7]
        digest = hmac.new(key.secret, "\n".join(signed).encode(), hashlib.sha256).digest()
        query = {"sv": VERSION, "se": end, "sr": kind, "sp": permission, **(key.identity or {})}
        return urlencode({**query, "sig": b64encode(digest).decode()}, quote_via=quote, safe="")
