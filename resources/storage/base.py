"""The operations of every store. A failed read raises; None means that the object is missing."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from escriba.errors import EscribaError
from gpu_job.contract import Address

Permission = Literal["read", "write", "create"]


class StorageError(EscribaError):
    """The store refused or could not be reached; names the key and the setting, never a secret."""


class NoConditionalWritesError(StorageError):
    """The store refuses the condition of a create itself: it does not implement it."""


class TooLargeError(StorageError):
    """An object is larger than its reader allows; none of it was kept."""

    def __init__(self, key: str, limit_bytes: int) -> None:
        self.reason = f"is larger than {limit_bytes / (1 << 20):.0f} MiB"
        super().__init__(f"{key!r} {self.reason}; delete it, or restore it from a backup")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object's metadata, from a listing or a HEAD request."""

    key: str
    size_bytes: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class UnusableObject:
    """An entry in a listing that cannot be read as an object, why, and what to do."""

    key: str
    reason: str
    advice: str = "Replace it with a regular file, or remove it."


class Storage(Protocol):
    """Keys are relative to STORAGE_URL and use '/'."""

    url: str
    writes_appear_whole: bool  # False in a folder, where objects may be seen growing

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject | UnusableObject]:
        """Everything below a prefix that ends in '/', in key order.

        after: only keys that sort later. One unusable name never hides the others.
        """
        ...

    def head(self, key: str) -> StoredObject | None:
        """Size, ETag and modification time, or None."""
        ...

    def read(self, key: str, limit_bytes: int | None = None) -> bytes | None:
        """The whole object, or None.

        Raises:
            TooLargeError: it has more than `limit_bytes`; it is not downloaded.
        """
        ...

    def write(self, key: str, data: bytes) -> str:
        """Replace the object atomically; returns its new ETag."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Create the object; False if the key exists. Atomic across machines."""
        ...

    def upload(self, key: str, path: Path) -> str:
        """Upload a large file atomically; returns its new ETag. The file at `path` may be moved."""
        ...

    def local_copy(self, key: str, scratch: Path) -> AbstractContextManager[Path]:
        """The object as a file to read; in a local folder, the object itself.

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object; does nothing if it is missing."""
        ...

    def address(self, key: str, permission: Permission, life: timedelta) -> Address:
        """A signed request that allows one operation on one key without credentials."""
        ...

    def address_life(self) -> timedelta | None:
        """The longest validity of an address that is signed now; None: no limit.

        The credential that signs it may expire before the address does.
        """
        ...

    def scratch(self) -> Path:
        """A folder for drafts; for a local bucket, on the same disk."""
        ...
