"""Signed URLs of Google Cloud Storage (V4) that include the headers of a condition.

`obstore.sign` signs the host alone, and GCS ignores a condition that is not signed. What is signed:
https://cloud.google.com/storage/docs/authentication/canonical-requests
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote, urlsplit

_ALGORITHM = "GOOG4-RSA-SHA256"


class Signer(Protocol):
    """A service account's key, local or managed by Google."""

    life: timedelta  # the longest validity of a signature

    @property
    def email(self) -> str:
        """The service account's address."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The RSA-SHA256 signature of `data`.

        Raises:
            StorageError: the signature is not available.
        """
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """The request that a signed URL allows. path: /bucket/key, not quoted."""

    method: str
    endpoint: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)  # signed, so the client must send them
    query: Mapping[str, str] = field(default_factory=dict)


def signed_url(request: Request, signer: Signer, life: timedelta, now: datetime) -> str:
    """The URL, valid from `now` for `life` in whole seconds (at most 7 days)."""
    endpoint = urlsplit(request.endpoint)
    headers = {"host": endpoint.netloc}
    headers |= {name.lower(): value for name, value in request.headers.items()}
    names = ";".join(sorted(headers))
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/auto/storage/goog4_request"
    query = {
        "X-Goog-Algorithm": _ALGORITHM,
        "X-Goog-Credential": f"{signer.email}/{scope}",
        "X-Goog-Date": stamp,
        "X-Goog-Expires": str(int(life.total_seconds())),
        "X-Goog-SignedHeaders": names,
    }
    asked = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in sorted({**query, **request.query}.items())
    )
    path = quote(endpoint.path.rstrip("/") + request.path, safe="/~")
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{request.method}\n{path}\n{asked}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = signer.sign(f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}".encode()).hex()
    return f"{endpoint.scheme}://{endpoint.netloc}{path}?{asked}&X-Goog-Signature={signature}"
