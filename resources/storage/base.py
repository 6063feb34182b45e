"""What every store can do. A read that failed raises; only what is not there is None."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from gpu_job.contract import Address

Permission = Literal["read", "write", "create"]


class StorageError(Exception):
    """The store could not be reached or refused; names the key, never a URL or a secret."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object, as a listing or a look at it tells."""

    key: str
    size_bytes: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something in a listing that is no object one could read, why, and what to do about it."""

    key: str
    reason: str
    advice: str = "Put a plain file in its place, or remove it."


class Storage(Protocol):
    """Keys are relative to STORAGE_URL and use '/'."""

    url: str
    whole_at_once: bool  # objects appear complete; in a folder they may be seen growing

    def list(self, prefix: str, after: str = "") -> Iterator[Stored | Oddity]:
        """Everything below a prefix that ends in '/', in the order of the keys.

        Only keys that come later than `after`, where one is given. One bad name never hides the
        others.
        """
        ...

    def head(self, key: str) -> Stored | None:
        """Size and ETag, or None."""
        ...

    def read(self, key: str) -> bytes | None:
        """The whole object, or None."""
        ...

    def write(self, key: str, data: bytes) -> str:
        """Replace the object, whole or not at all; its new ETag."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Make the object; False where the key exists. Atomic between machines."""
        ...

    def upload(self, key: str, path: Path) -> str:
        """A large file, whole or not at all; its new ETag. The file at `path` may be moved."""
        ...

    def local_copy(self, key: str, scratch: Path) -> AbstractContextManager[Path]:
        """The object as a file to read: the object itself where it is local.

        Raises FileNotFoundError.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""
        ...

    def address(self, key: str, permission: Permission, life: timedelta) -> Address:
        """What somebody without credentials needs to do one thing with one key."""
        ...

    def address_life(self) -> timedelta | None:
        """How long an address that is made now can live, at most; None: without a limit.

        The credential that signs it may end before the address does.
        """
        ...

    def scratch(self) -> Path:
        """A folder for drafts, on the same disk as the bucket where that is local."""
        ...
