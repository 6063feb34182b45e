"""A bucket in this process's memory, fast enough for a night of ten thousand recordings."""
# ruff: noqa: D102  # the Protocols say what the methods do

import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

from gpu_job.contract import Address
from resources.storage import clock
from resources.storage.base import Permission, StoredObject, UnusableObject

_SCHEME = "memory://bucket/"
_Stored = tuple[bytes, str, datetime]  # its content, its ETag, and when it was written


class FleetBucket:
    """A Storage. By folder and name; written at the night's own times.

    Of manifests from before the night, the product deletes the old ones when it begins.
    """

    url = _SCHEME
    writes_appear_whole = True

    def __init__(self) -> None:
        self._folders: defaultdict[str, dict[str, _Stored]] = defaultdict(dict)
        self._etags = itertools.count(1)

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject | UnusableObject]:
        names = [prefix] if prefix.startswith("work/") else list(self._folders)
        keys = sorted(
            folder + name
            for folder in names
            if folder.startswith(prefix)
            for name in self._folders.get(folder, ())
        )
        yield from (found for key in keys if key > after and (found := self.head(key)))

    def head(self, key: str) -> StoredObject | None:
        found = self._find(key)
        return None if found is None else StoredObject(key, len(found[0]), *found[1:])

    def read(self, key: str, limit_bytes: int | None = None) -> bytes | None:  # noqa: ARG002
        found = self._find(key)
        return None if found is None else found[0]

    def write(self, key: str, data: bytes) -> str:
        folder, name = _split(key)
        etag = str(next(self._etags))
        self._folders[folder][name] = (bytes(data), etag, clock.utc_now())
        return etag

    def create(self, key: str, data: bytes) -> bool:
        if self._find(key) is not None:
            return False
        self.write(key, data)
        return True

    def upload(self, key: str, path: Path) -> str:
        return self.write(key, path.read_bytes())

    def local_copy(self, key: str, scratch: Path) -> AbstractContextManager[Path]:  # noqa: ARG002  # there are no files
        raise FileNotFoundError(key)

    def delete(self, key: str) -> None:
        folder, name = _split(key)
        self._folders[folder].pop(name, None)

    def address(self, key: str, permission: Permission, life: timedelta) -> Address:  # noqa: ARG002  # nothing expires
        return Address(method="GET" if permission == "read" else "PUT", url=_SCHEME + key)

    def address_life(self) -> timedelta | None:
        return None

    def scratch(self) -> Path:
        raise FileNotFoundError

    def _find(self, key: str) -> _Stored | None:
        folder, name = _split(key)
        return self._folders[folder].get(name) if folder in self._folders else None


def key_at(address: Address | str) -> str:
    """The key that an address names."""
    return (address if isinstance(address, str) else address.url).removeprefix(_SCHEME)


def _split(key: str) -> tuple[str, str]:
    folder, _, name = key.rpartition("/")
    return f"{folder}/", name
