"""Download one file of the hub: resume it, and verify the hub's checksum."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_CHUNK_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16  # a broken connection loses at most this
_TRIES = 5  # in a row without a new byte
_PARTIAL_CONTENT, _BEYOND_THE_END = 206, 416
_TIMEOUT_SECONDS = 30.0


class TornError(Exception):
    """A file differs from the hub's checksum or size."""


@dataclass(frozen=True)
class RemoteFile:
    """A file on the hub; large files have a `sha256`, all others a `git_sha1`."""

    name: str
    url: str
    size_bytes: int
    sha256: str = ""
    git_sha1: str = ""

    def part(self, folder: Path) -> Path:
        """The path of the partial download."""
        return folder / f"{self.name}.part"

    def have_bytes(self, folder: Path) -> int:
        """How many bytes are downloaded."""
        whole, part = folder / self.name, self.part(folder)
        there = whole if whole.is_file() else part
        return there.stat().st_size if there.is_file() else 0


def fetch_file(
    file: RemoteFile, folder: Path, token: str | None, on_growth: Callable[[int], None]
) -> None:
    """Download into `folder/name`; `on_growth` gets received bytes, or discarded ones (negative).

    Raises:
        TornError: two downloads had a wrong checksum.
        httpx.HTTPError: the hub refuses it, or sends no more bytes.
    """
    if (folder / file.name).is_file():
        return
    for _ in range(2):
        _grow(file, file.part(folder), token, on_growth)
        if _is_right(file, file.part(folder)):
            file.part(folder).rename(folder / file.name)
            return
        on_growth(-file.part(folder).stat().st_size)
        file.part(folder).unlink()
    raise TornError(f"{file.name} was damaged in two downloads; a proxy may modify it")


def _grow(
    file: RemoteFile, part: Path, token: str | None, on_growth: Callable[[int], None]
) -> None:
    import httpx  # noqa: PLC0415
    from huggingface_hub.utils import build_hf_headers  # noqa: PLC0415

    # httpx drops the token when the hub redirects to another host
    headers = build_hf_headers(token=token)
    fruitless = 0
    with httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=True, headers=headers) as client:
        most = 0
        while (have := _size_of(part)) < file.size_bytes or not part.is_file():
            trouble: httpx.TransportError | None = None
            try:
                for size_bytes in _stream(client, file, part, have):
                    on_growth(size_bytes)
            except httpx.TransportError as error:
                trouble = error
            fruitless = 0 if _size_of(part) > max(most, have) else fruitless + 1
            most = max(most, _size_of(part))
            if fruitless >= _TRIES:
                raise trouble or TornError(f"{file.name} ends before the size that the hub reports")


def _size_of(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _stream(client: "httpx.Client", file: RemoteFile, part: Path, have: int) -> Iterator[int]:
    """Received byte counts, chunk by chunk; a server without range support starts from zero."""
    # without compression, so that offsets count file bytes
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", file.url, headers=headers) as answer:
        if answer.status_code == _BEYOND_THE_END:
            part.unlink()
            yield -have
            return
        answer.raise_for_status()
        resumes = answer.status_code == _PARTIAL_CONTENT
        if have and not resumes:
            yield -have
        with part.open("ab" if resumes else "wb") as target:
            for chunk in answer.iter_bytes(_PIECE_BYTES):
                target.write(chunk)
                target.flush()
                yield len(chunk)
                if target.tell() > file.size_bytes:  # a wrong size: the checksum will fail
                    return


def _is_right(file: RemoteFile, path: Path) -> bool:
    """Whether size and checksum match; only the size if the hub has no checksum."""
    if path.stat().st_size != file.size_bytes:
        return False
    if file.sha256:
        return _digest("sha256", path) == file.sha256
    if file.git_sha1:
        return _digest("sha1", path, b"blob %d\0" % file.size_bytes) == file.git_sha1
    return True


def _digest(kind: str, path: Path, before: bytes = b"") -> str:
    digest = hashlib.new(kind, before)  # git's SHA-1 detects damage, not attackers
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
