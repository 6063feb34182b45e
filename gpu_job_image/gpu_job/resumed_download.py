"""Downloads a job's audio, and goes on where the connection broke."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .contract import Address
from .transfer_errors import TIMEOUT_SECONDS, TransferError, expect_success, unreachable

if TYPE_CHECKING:
    import httpx

_PARTIAL, _CHANGED, _NOT_SATISFIABLE = 206, 412, 416
_STARTS_AT = re.compile(r"bytes (\d+)-")  # of a Content-Range


@dataclass
class _Received:
    """What has arrived. etag: of the version that was begun; empty if it cannot be asked for."""

    file: BinaryIO
    size_bytes: int = 0
    etag: str = ""
    restarts: int = 0

    def headers(self) -> Mapping[str, str]:
        """What to ask for next; not compressed, so that bytes can be counted."""
        asked = {"Accept-Encoding": "identity"}
        if self.size_bytes and self.etag:
            asked |= {"Range": f"bytes={self.size_bytes}-", "If-Match": self.etag}
        return asked

    def is_continued_by(self, response: "httpx.Response") -> bool:
        """Whether a part of an object follows what has arrived, in the same version."""
        starts_at = _STARTS_AT.match(response.headers.get("Content-Range", ""))
        etag = response.headers.get("ETag", "").removeprefix("W/")
        is_same = not self.size_bytes or etag in {"", self.etag}
        return is_same and starts_at is not None and int(starts_at[1]) == self.size_bytes

    def start_over(self) -> None:
        """Another version, or a store that ignores ranges."""
        self.restarts += 1
        self.size_bytes, self.etag = 0, ""
        self.file.seek(0)
        self.file.truncate()


def download(
    address: Address, target: Path, check: Callable[[], None], pauses: Sequence[float]
) -> None:
    """Write the object to a file. pauses: between tries in a row that brought nothing.

    Each step has its own limit of time, and the whole has none: the link may be slow.

    Raises:
        TransferError: the store refuses, does not answer in any of the tries, or gives another
            version, or no range, in one try more than there are pauses.
    """
    with target.open("wb") as file:
        received, fruitless = _Received(file), 0
        while True:
            before = received.size_bytes
            try:
                if _receive(address, received, check):
                    return
            except TransferError as error:
                if not error.unreachable or fruitless >= len(pauses):
                    raise
            if received.restarts > len(pauses):
                raise TransferError("the object could not be read in one version", unreachable=True)
            if received.size_bytes > before:
                fruitless = 0
                continue
            time.sleep(pauses[min(fruitless, len(pauses) - 1)])
            fruitless += 1


def _receive(address: Address, received: _Received, check: Callable[[], None]) -> bool:
    """One request; False if the version that was begun is gone, and the next one starts over."""
    import httpx  # noqa: PLC0415  # the local worker needs none

    headers = {**address.headers, **received.headers()}
    try:
        with httpx.stream(
            address.method, address.url, headers=headers, timeout=TIMEOUT_SECONDS
        ) as response:
            if response.status_code in {_CHANGED, _NOT_SATISFIABLE} and received.size_bytes:
                received.start_over()
                return False
            expect_success(response)
            if response.status_code == _PARTIAL and not received.is_continued_by(response):
                received.start_over()
                return False
            _write(response, received, check)
    except httpx.HTTPError as error:
        raise unreachable(error) from None
    return True


def _write(response: "httpx.Response", received: _Received, check: Callable[[], None]) -> None:
    if received.size_bytes and response.status_code != _PARTIAL:
        received.start_over()
    etag = response.headers.get("ETag", "")
    received.etag = "" if etag.startswith("W/") else etag  # a weak one never matches
    for chunk in response.iter_raw():  # in chunks as received: the store may be slow
        check()
        received.file.write(chunk)
        received.size_bytes += len(chunk)
