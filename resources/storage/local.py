"""A local folder as a bucket (docs/decisions/0001: why not through obstore).

A write goes to a draft that is flushed to disk and renamed. A create is a hard link, which only
one process can win.
"""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from gpu_job.contract import Address

from .base import Permission, StorageError, StoredObject, TooLargeError, UnusableObject
from .scratch import sweep

_DRAFTS = ".drafts"
_NOT_PERMITTED = "Give the user that runs Escriba permission to read it."
# files that desktops leave in every folder; they are ignored silently
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


class LocalStorage:
    """A folder, created on first use. The Protocol `Storage` documents each method."""

    writes_appear_whole = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self.url = root.as_uri()

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject | UnusableObject]:
        """Uses os.scandir: a name may hold any byte, and folders may be nested deeply."""
        for folder in (self._root, self._root / prefix):
            if folder.exists() and not folder.is_dir():
                raise StorageError(f"{folder} is not a folder; remove the file or set STORAGE_URL")
        scans: list[Iterator[tuple[str, os.DirEntry[str] | UnusableObject]]] = []
        if (self._root / prefix).is_dir():
            scans.append(self._scan(prefix, after))
        while scans:
            key, entry = next(scans[-1], ("", None))
            if entry is None:
                scans.pop()
            elif isinstance(entry, UnusableObject):
                yield entry
            elif key.endswith("/"):
                scans.append(self._scan(key, after))
            else:
                yield from self._entry(key, entry)

    def _scan(
        self, folder: str, after: str
    ) -> "Iterator[tuple[str, os.DirEntry[str] | UnusableObject]]":
        """The entries of one folder, in key order; the key of a folder ends in '/'."""
        try:
            with os.scandir(self._root / folder) as entries:
                found = {self._key(folder, entry): entry for entry in entries}
        except OSError as error:
            reason = f"the folder cannot be read ({error.strerror})"
            return iter([(folder, UnusableObject(folder, reason, _NOT_PERMITTED))])
        return iter(
            (key, found[key])
            for key in sorted(found)
            if (key > after or (key.endswith("/") and after.startswith(key)))
            and found[key].name not in _LITTER
            and key != f"{_DRAFTS}/"
        )

    @staticmethod
    def _key(folder: str, entry: "os.DirEntry[str]") -> str:
        return (
            f"{folder}{entry.name}/" if entry.is_dir(follow_symlinks=False) else folder + entry.name
        )

    def _entry(
        self, key: str, entry: "os.DirEntry[str]"
    ) -> Iterator[StoredObject | UnusableObject]:
        if not entry.is_file(follow_symlinks=False):
            # a link could lead to another tenant's files, or out of the bucket
            kind = "a link" if entry.is_symlink() else "not a regular file"
            yield UnusableObject(key, f"it is {kind}")
            return
        try:
            found = self.head(key)
        except StorageError as error:
            yield UnusableObject(key, str(error))
            return
        if found is not None:
            yield found

    def head(self, key: str) -> StoredObject | None:
        """The ETag combines modification time, change time, size and inode."""
        try:
            status = self._path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None  # no such file can exist
            raise self._failed(key, "read", error) from error
        # the change time reveals an overwrite that sets the modification time back
        times = f"{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"
        etag = f"{times}-{status.st_size:x}-{status.st_ino:x}"
        # a file that was moved here keeps its modification time, which may lie in the future
        return StoredObject(key, status.st_size, etag, datetime.fromtimestamp(status.st_ctime, UTC))

    def read(self, key: str, limit_bytes: int | None = None) -> bytes | None:
        try:
            with self._path(key).open("rb") as file:
                body = file.read(-1 if limit_bytes is None else limit_bytes + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None  # no such file can exist
            raise self._failed(key, "read", error) from error
        if limit_bytes is not None and len(body) > limit_bytes:
            raise TooLargeError(key, limit_bytes)
        return body

    def write(self, key: str, data: bytes) -> str:
        return self._place(self._draft(data), key)

    def create(self, key: str, data: bytes) -> bool:
        draft, path = self._draft(data), self._path(key)
        try:
            _in_its_folder(path, lambda: path.hardlink_to(draft))
        except FileExistsError:
            return False
        except OSError as error:
            raise self._failed(key, "created", error) from error
        finally:
            draft.unlink(missing_ok=True)
        return True

    def upload(self, key: str, path: Path) -> str:
        try:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise self._failed(key, "written", error) from error
        return self._place(path, key)

    def _place(self, draft: Path, key: str) -> str:
        """Move a complete, flushed draft to its key; returns the new ETag."""
        path = self._path(key)
        try:
            _in_its_folder(path, lambda: draft.replace(path))
        except OSError as error:
            raise self._failed(key, "written", error) from error
        found = self.head(key)
        if found is None:
            raise StorageError(
                f"{key!r} disappeared right after it was written; find out what deletes files in "
                f"the folder of STORAGE_URL ({self._root})"
            )
        return found.etag

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:  # noqa: ARG002  # the object is local already
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        if path.resolve() != self._root.resolve() / key:
            raise StorageError(f"{key!r} is behind a link; put the file itself there")
        yield path

    def delete(self, key: str) -> None:
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(key, "deleted", error) from error

    def address(self, key: str, permission: Permission, life: timedelta) -> Address:  # noqa: ARG002  # a path does not expire
        url = self._path(key).as_uri()
        if permission == "read":
            return Address(method="GET", url=url)
        headers = {"If-None-Match": "*"} if permission == "create" else {}
        return Address(method="PUT", url=url, headers=headers, drafts=str(self._drafts()))

    def address_life(self) -> timedelta | None:
        return None

    def scratch(self) -> Path:
        folder = self._drafts()
        sweep(folder)
        return folder

    def _drafts(self) -> Path:
        folder = self._root / _DRAFTS
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._not_writable(error) from error
        return folder

    def _draft(self, data: bytes) -> Path:
        draft = self._root / _DRAFTS / secrets.token_hex(8)
        try:
            with _open_draft(draft) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self._not_writable(error) from error
        return draft

    def _path(self, key: str) -> Path:
        if ".." in key.split("/"):
            raise StorageError(f"{key!r} leads out of the bucket; use a key without '..'")
        return self._root / key

    def _failed(self, key: str, what: str, error: OSError) -> StorageError:
        return StorageError(
            f"{key!r} cannot be {what}: {error.strerror}; check the folder of STORAGE_URL "
            f"({self._root})"
        )

    def _not_writable(self, error: OSError) -> StorageError:
        return StorageError(
            f"STORAGE_URL={self.url} cannot be written to: {error.strerror}; check the folder and "
            "its permissions"
        )


def _open_draft(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")


def _in_its_folder(path: Path, put: Callable[[], object]) -> None:
    """Create a missing folder after the first failure: a check would cost a call per write."""
    try:
        put()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        put()
