"""The ends of a large object, as a file that is mostly a hole: enough to read an audio's headers.

Headers, and the index of an MP4, stand at the beginning or at the end; two hours of sound between
them need not be fetched to know their length.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from gpu_job.contract import Address

from .http_log import hide_addresses
from .storage.base import Storage, StorageError, Stored

END_BYTES = 2_000_000
_LIFE = timedelta(minutes=10)
_TIMEOUT_SECONDS = 60.0


@contextmanager
def glimpse(storage: Storage, stored: Stored, scratch: Path) -> Iterator[Path | None]:
    """A file as long as the object, with its first and last END_BYTES in place.

    None where the whole object is as near: it is local, or hardly larger than its ends, or its
    store gives no parts.

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


def _fetch_ends(stored: Stored, address: Address, path: Path) -> bool:
    """False where the store gives no parts."""
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
    """END_BYTES of the object, and never more, or None where the store would send all of it.

    An error of httpx would carry the presigned address.
    """
    import httpx  # noqa: PLC0415

    hide_addresses()
    headers = address.headers | {"Range": f"bytes={first}-{first + END_BYTES - 1}"}
    try:
        with httpx.stream("GET", address.url, headers=headers, timeout=_TIMEOUT_SECONDS) as answer:
            if answer.status_code == httpx.codes.PARTIAL_CONTENT:
                return _first_bytes(answer.iter_raw())
            status = answer.status_code
    except httpx.HTTPError as error:
        raise StorageError(f"{key!r} cannot be read: {type(error).__name__}") from None
    if status == httpx.codes.OK:
        return None
    raise StorageError(f"{key!r} cannot be read in parts: HTTP {status}")


def _first_bytes(chunks: Iterator[bytes]) -> bytes:
    part = bytearray()
    for chunk in chunks:
        part += chunk
        if len(part) >= END_BYTES:
            break
    return bytes(part[:END_BYTES])
