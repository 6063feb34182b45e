"""The start and the end of a large object as a sparse file: enough to read audio headers.

Headers and the index of an MP4 are at the start or at the end of a file. To learn the length of two
hours of audio, the part between need not be downloaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from gpu_job.contract import Address
from resources.http.hide_urls import hide_urls

from .base import Storage, StorageError, StoredObject

END_BYTES = 2_000_000
_LIFE = timedelta(minutes=10)
_TIMEOUT_SECONDS = 60.0


@contextmanager
def ranged_read(storage: Storage, stored: StoredObject, scratch: Path) -> Iterator[Path | None]:
    """A file of the object's length that holds its first and last END_BYTES.

    None where the whole object is as cheap to read: it is local, or barely larger than both ends,
    or the store does not support range requests.

    Raises:
        StorageError: the store refused or could not be reached.
    """
    address = storage.address(stored.key, "read", _LIFE)
    if stored.size_bytes <= 2 * END_BYTES or address.url.startswith("file:"):
        yield None
        return
    path = scratch / uuid4().hex
    try:
        yield path if _fetch_ends(stored, address, path) else None
    finally:
        path.unlink(missing_ok=True)


def _fetch_ends(stored: StoredObject, address: Address, path: Path) -> bool:
    """False if the store does not support range requests."""
    with path.open("wb") as file:
        file.truncate(stored.size_bytes)
        for first in (0, stored.size_bytes - END_BYTES):
            part = _part(stored.key, address, first)
            if part is None:
                return False
            file.seek(first)
            file.write(part)
    return True


def _part(key: str, address: Address, first: int) -> bytes | None:
    """At most END_BYTES of the object, or None if the store ignores the range.

    The error hides httpx's own, which holds the presigned URL.
    """
    import httpx  # noqa: PLC0415

    hide_urls()
    headers = address.headers | {"Range": f"bytes={first}-{first + END_BYTES - 1}"}
    try:
        with httpx.stream("GET", address.url, headers=headers, timeout=_TIMEOUT_SECONDS) as answer:
            if answer.status_code == httpx.codes.PARTIAL_CONTENT:
                return _first_bytes(answer.iter_raw())
            status = answer.status_code
    except httpx.HTTPError as error:
        raise StorageError(
            f"{key!r} cannot be read: {type(error).__name__}; check STORAGE_URL and the network"
        ) from None
    if status == httpx.codes.OK:
        return None
    raise StorageError(
        f"{key!r} cannot be read in parts: HTTP {status}; check STORAGE_URL and the credentials"
    )


def _first_bytes(chunks: Iterator[bytes]) -> bytes:
    part = bytearray()
    for chunk in chunks:
        part += chunk
        if len(part) >= END_BYTES:
            break
    return bytes(part[:END_BYTES])
