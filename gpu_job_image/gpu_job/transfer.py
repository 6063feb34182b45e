"""Reads and writes objects by their addresses: files on this machine, or presigned URLs.

Errors never contain a URL, since its query is a secret.
"""

import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import file_urls
from .contract import Address
from .contract.documents import RESULTS
from .resumed_download import download
from .transfer_errors import (
    NOT_FOUND,
    TIMEOUT_SECONDS,
    TransferError,
    expect_success,
    is_busy,
    unreachable,
)

if TYPE_CHECKING:
    import httpx

__all__ = [
    "CREATE_ONLY",
    "PAUSES_SECONDS",
    "Put",
    "TransferError",
    "fetch",
    "put",
    "put_surely",
    "read",
    "read_if_reachable",
    "read_surely",
]

Got = TypeVar("Got")
Body = TypeVar("Body", bytes, bytearray)

CREATE_ONLY = "If-None-Match"
_CONFLICT, _PRECONDITION_FAILED = 409, 412
PAUSES_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # between tries
_LAST_TRIES = 7  # additional tries for a result: 144 s in total; the fence is at 120 s
_FETCH_TRIES = 4
_READ_TRIES = 3
_SLOWEST_BYTES_PER_SECOND, _LONGEST_SECONDS = 50_000, 90.0


class Put(Enum):
    """The outcome of a PUT. UNSURE: read the object to find out (docs/idempotency.md, rule 4)."""

    WRITTEN = "written"
    EXISTS = "exists"
    UNSURE = "unsure"


def read(address: Address, limit_bytes: int = RESULTS.stored_bytes) -> bytes | None:
    """The object's bytes; None if it does not exist.

    Raises:
        TransferError: it cannot be read, or has more than `limit_bytes`.
    """
    path = file_urls.path_of(address)
    if path is not None:
        try:
            with path.open("rb") as file:
                return _within(file.read(limit_bytes + 1), limit_bytes)
        except FileNotFoundError:
            return None
    return _received(address, limit_bytes)


def _received(address: Address, limit_bytes: int) -> bytes | None:
    import httpx  # noqa: PLC0415

    body = bytearray()
    try:
        with httpx.stream(
            address.method, address.url, headers=address.headers, timeout=TIMEOUT_SECONDS
        ) as response:
            if response.status_code == NOT_FOUND:
                return None
            expect_success(response)
            for chunk in response.iter_bytes():
                body += chunk
                _within(body, limit_bytes)
    except httpx.HTTPError as error:
        raise unreachable(error) from None
    return bytes(body)


def _within(body: Body, limit_bytes: int) -> Body:
    if len(body) > limit_bytes:
        raise TransferError(f"the object has more than {limit_bytes:,} bytes")
    return body


def read_surely(address: Address) -> bytes | None:
    """The same, with retries for some seconds while the store does not answer."""
    return _with_retries(lambda: read(address), _READ_TRIES)


def read_if_reachable(address: Address) -> bytes | None:
    """The same, and also None while the store does not answer."""
    try:
        return read(address)
    except TransferError as error:
        if error.unreachable:
            return None
        raise


def fetch(address: Address, folder: Path, check: Callable[[], None] = lambda: None) -> Path:
    """The object as a file: the file itself if it is local, else a copy in `folder`.

    `check` is called between chunks, and raises if the file is no longer needed.
    """
    path = file_urls.path_of(address)
    if path is not None:
        if not path.is_file():
            raise TransferError("the audio file no longer exists")
        return path
    target = folder / "audio"
    download(address, target, check, PAUSES_SECONDS[:_FETCH_TRIES])
    return target


def _with_retries(work: Callable[[], Got], pauses: int) -> Got:
    """Retry after each pause while the store does not answer."""
    for pause in PAUSES_SECONDS[:pauses]:
        try:
            return work()
        except TransferError as error:
            if not error.unreachable:
                raise
        time.sleep(pause)
    return work()


def put_surely(
    address: Address, body: bytes, look: Address, check: Callable[[], None] = lambda: None
) -> None:
    """Create an object unless it exists; afterwards it exists, whoever created it.

    Retries for over two minutes while the store does not answer: the object may have cost hours,
    and the lease of its owner is valid for as long. `check` is called before each try.

    Raises:
        TransferError: the object could be neither written nor read.
    """
    for pause in (*PAUSES_SECONDS, *PAUSES_SECONDS[-1:] * _LAST_TRIES, None):
        check()
        if put(address, body) is not Put.UNSURE or read_if_reachable(look) is not None:
            return
        if pause is not None:
            time.sleep(pause)
    raise TransferError("the result could not be written", unreachable=True)


def put(address: Address, body: bytes) -> Put:
    """Write or create the object, depending on the address."""
    path = file_urls.path_of(address)
    if path is not None:
        create = CREATE_ONLY in address.headers
        written = file_urls.write(path, body, address.drafts, create=create)
        return Put.WRITTEN if written else Put.EXISTS
    try:
        response = _send(address, body)
    except TransferError:
        return Put.UNSURE
    if response.status_code == _PRECONDITION_FAILED:
        return Put.EXISTS
    if response.status_code == _CONFLICT or is_busy(response):
        return Put.UNSURE
    expect_success(response)
    return Put.WRITTEN


def _send(address: Address, body: bytes | None = None) -> "httpx.Response":
    import httpx  # noqa: PLC0415

    try:
        return httpx.request(
            address.method,
            address.url,
            content=body,
            headers=address.headers,
            timeout=_timeout(body),
        )
    except httpx.HTTPError as error:
        raise unreachable(error) from None


def _timeout(body: bytes | None) -> "httpx.Timeout":
    """Of each step of a request; what the system has taken of a large body may still be on its way.

    The lease of a result's owner is valid for longer (the fence is at 120 s).
    """
    import httpx  # noqa: PLC0415

    underway = len(body or b"") / _SLOWEST_BYTES_PER_SECOND
    return httpx.Timeout(TIMEOUT_SECONDS, read=min(TIMEOUT_SECONDS + underway, _LONGEST_SECONDS))
