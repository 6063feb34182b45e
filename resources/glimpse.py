"""The ends of a large object, as a file that is mostly a hole: enough to read an audio's headers.

Headers, and the index of an MP4, stand at the beginning or at the end; two hours of sound between
them need not be fetched to know their length.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from .storage.base import Storage, StorageError, Stored

END_BYTES = 2_000_000
_LIFE = timedelta(minutes=10)
_TIMEOUT_SECONDS = 60.0


@contextmanager
def glimpse(storage: Storage, stored: Stored, scratch: Path) -> Iterator[Path | None]:
    """A file as long as the object, with its first and last END_BYTES in place.

    None where the whole object is as near: it is local, or hardly larger than its ends.

    Raises:
        StorageError: the store refused or could not be reached.
    """
    address = storage.address(stored.key, "read", _LIFE)
    if stored.size_bytes <= 2 * END_BYTES or address.url.startswith("file:"):
        yield None
        return
    path = scratch / uuid4().hex
    try:
        with path.open("wb") as file:
            file.truncate(stored.size_bytes)
            for first in (0, stored.size_bytes - END_BYTES):
                file.seek(first)
                file.write(_bytes(stored.key, address.url, address.headers, first))
        yield path
    finally:
        path.unlink(missing_ok=True)


def _bytes(key: str, url: str, headers: dict[str, str], first: int) -> bytes:
    """END_BYTES of the object; an error of httpx would carry the presigned address."""
    import httpx  # noqa: PLC0415

    span = {"Range": f"bytes={first}-{first + END_BYTES - 1}"}
    try:
        answer = httpx.get(url, headers=headers | span, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise StorageError(f"{key!r} cannot be read: {type(error).__name__}") from None
    if answer.status_code != httpx.codes.PARTIAL_CONTENT:
        raise StorageError(f"{key!r} cannot be read in parts: HTTP {answer.status_code}")
    return answer.content
