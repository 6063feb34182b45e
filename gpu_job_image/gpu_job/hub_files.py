"""One file of the hub, which goes on where it was left, and is compared with the hub's checksum."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_CHUNK_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16  # what a line that breaks may lose
_TRIES = 5  # in a row that bring not one byte more
_PARTIAL_CONTENT, _BEYOND_THE_END = 206, 416
_TIMEOUT_SECONDS = 30.0


class TornError(Exception):
    """A file is not what the hub says it is."""


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub names it; `sha256` is known of large files, `git_sha1` of all others."""

    name: str
    url: str
    size_bytes: int
    sha256: str = ""
    git_sha1: str = ""

    def part(self, folder: Path) -> Path:
        """Where it grows."""
        return folder / f"{self.name}.part"

    def have_bytes(self, folder: Path) -> int:
        """How much of it is there."""
        whole, part = folder / self.name, self.part(folder)
        there = whole if whole.is_file() else part
        return there.stat().st_size if there.is_file() else 0


def fetch_file(
    file: RemoteFile, folder: Path, token: str | None, grew: Callable[[int], None]
) -> None:
    """Into `folder/name`; `grew` gets the bytes that came, or that were thrown away (negative).

    Raises:
        TornError: twice it came with another checksum.
        httpx.HTTPError: the hub refuses it, or brings no byte more.
    """
    if (folder / file.name).is_file():
        return
    for _ in range(2):
        _grow(file, file.part(folder), token, grew)
        if _is_right(file, file.part(folder)):
            file.part(folder).rename(folder / file.name)
            return
        grew(-file.part(folder).stat().st_size)
        file.part(folder).unlink()
    raise TornError(f"{file.name} came damaged twice; a proxy on the way may change it")


def _grow(file: RemoteFile, part: Path, token: str | None, grew: Callable[[int], None]) -> None:
    import httpx  # noqa: PLC0415
    from huggingface_hub.utils import build_hf_headers  # noqa: PLC0415

    # httpx leaves the token out where the hub sends us on to another host
    headers = build_hf_headers(token=token)
    fruitless = 0
    with httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=True, headers=headers) as client:
        most = 0
        while (have := _size_of(part)) < file.size_bytes or not part.is_file():
            trouble: httpx.TransportError | None = None
            try:
                for size_bytes in _stream(client, file, part, have):
                    grew(size_bytes)
            except httpx.TransportError as error:
                trouble = error
            fruitless = 0 if _size_of(part) > max(most, have) else fruitless + 1
            most = max(most, _size_of(part))
            if fruitless >= _TRIES:
                raise trouble or TornError(f"{file.name} ends before the size that the hub tells")


def _size_of(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _stream(client: "httpx.Client", file: RemoteFile, part: Path, have: int) -> Iterator[int]:
    """What came, piece by piece; a server that knows no ranges begins anew."""
    # without compression bytes are bytes
    wish = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", file.url, headers=wish) as answer:
        if answer.status_code == _BEYOND_THE_END:
            part.unlink()
            yield -have
            return
        answer.raise_for_status()
        goes_on = answer.status_code == _PARTIAL_CONTENT
        if have and not goes_on:
            yield -have
        with part.open("ab" if goes_on else "wb") as target:
            for chunk in answer.iter_bytes(_PIECE_BYTES):
                target.write(chunk)
                target.flush()
                yield len(chunk)
                if target.tell() > file.size_bytes:  # told wrongly: the checksum will say so
                    return


def _is_right(file: RemoteFile, path: Path) -> bool:
    """By its size alone where the hub tells no checksum."""
    if path.stat().st_size != file.size_bytes:
        return False
    if file.sha256:
        return _digest("sha256", path) == file.sha256
    if file.git_sha1:
        return _digest("sha1", path, b"blob %d\0" % file.size_bytes) == file.git_sha1
    return True


def _digest(kind: str, path: Path, before: bytes = b"") -> str:
    digest = hashlib.new(kind, before)  # sha1 is git's, against damage and no attacker
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
