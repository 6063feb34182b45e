"""A local folder as a bucket (docs/decisions/0001: why not through obstore).

Writes are drafts, flushed to disk and renamed; creation is a hard link, which only one can win.
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

from .base import Oddity, Permission, StorageError, Stored
from .scratch import sweep

_DRAFTS = ".drafts"
_MAY_NOT = "Give the user that runs Escriba the right to read it."
# what desktops leave behind in every folder; nobody wants to hear about it
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


class LocalStorage:
    """A folder; made on first use. The Protocol `Storage` says what each method does."""

    whole_at_once = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self.url = root.as_uri()

    def list(self, prefix: str, after: str = "") -> Iterator[Stored | Oddity]:
        """By os.scandir: any byte may stand in a name, and folders may be nested deeply."""
        for place in (self._root, self._root / prefix):
            if place.exists() and not place.is_dir():
                raise StorageError(f"{place} is no folder, and one is needed there")
        waiting: list[Iterator[tuple[str, os.DirEntry[str] | Oddity]]] = []
        if (self._root / prefix).is_dir():
            waiting.append(self._scan(prefix, after))
        while waiting:
            key, entry = next(waiting[-1], ("", None))
            if entry is None:
                waiting.pop()
            elif isinstance(entry, Oddity):
                yield entry
            elif key.endswith("/"):
                waiting.append(self._scan(key, after))
            else:
                yield from self._entry(key, entry)

    def _scan(self, folder: str, after: str) -> "Iterator[tuple[str, os.DirEntry[str] | Oddity]]":
        """What lies in one folder, in the order of keys; the key of a folder ends in '/'."""
        try:
            with os.scandir(self._root / folder) as entries:
                found = {self._key(folder, entry): entry for entry in entries}
        except OSError as error:
            odd = Oddity(folder, f"the folder cannot be read ({error.strerror})", _MAY_NOT)
            return iter([(folder, odd)])
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

    def _entry(self, key: str, entry: "os.DirEntry[str]") -> Iterator[Stored | Oddity]:
        if not entry.is_file(follow_symlinks=False):
            # a link could lead to another tenant's files, or out of the bucket
            kind = "a link" if entry.is_symlink() else "no regular file"
            yield Oddity(key, f"it is {kind}")
            return
        try:
            seen = self.head(key)
        except StorageError as error:
            yield Oddity(key, str(error))
            return
        if seen is not None:
            yield seen

    def head(self, key: str) -> Stored | None:
        """The ETag is made of modification time, size and inode."""
        try:
            seen = self._path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None  # nothing can be there
            raise StorageError(f"{key!r} cannot be looked at: {error.strerror}") from error
        # the change time tells of an overwrite whose modification time was set back
        etag = f"{seen.st_mtime_ns:x}-{seen.st_ctime_ns:x}-{seen.st_size:x}-{seen.st_ino:x}"
        # a file that was moved here keeps its modification time, and some lie in the future
        return Stored(key, seen.st_size, etag, datetime.fromtimestamp(seen.st_ctime, UTC))

    def read(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None  # nothing can be there
            raise StorageError(f"{key!r} cannot be read: {error.strerror}") from error

    def write(self, key: str, data: bytes) -> str:
        return self._place(self._draft(data), key)

    def create(self, key: str, data: bytes) -> bool:
        draft, path = self._draft(data), self._path(key)
        try:
            _in_its_folder(path, lambda: path.hardlink_to(draft))
        except FileExistsError:
            return False
        except OSError as error:
            raise StorageError(f"{key!r} cannot be created: {error.strerror}") from error
        finally:
            draft.unlink(missing_ok=True)
        return True

    def upload(self, key: str, path: Path) -> str:
        try:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"{key!r} cannot be written: {error.strerror}") from error
        return self._place(path, key)

    def _place(self, draft: Path, key: str) -> str:
        """Put what is whole and on the disk into its place; the new ETag."""
        path = self._path(key)
        try:
            _in_its_folder(path, lambda: draft.replace(path))
        except OSError as error:
            raise StorageError(f"{key!r} cannot be written: {error.strerror}") from error
        seen = self.head(key)
        if seen is None:
            raise StorageError(f"{key!r} is gone right after it was written")
        return seen.etag

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:  # noqa: ARG002  # the object is local already
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        if path.resolve() != self._root.resolve() / key:
            raise StorageError(f"{key!r} lies behind a link: put the file itself there")
        yield path

    def delete(self, key: str) -> None:
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{key!r} cannot be deleted: {error.strerror}") from error

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
            raise StorageError(f"{self.url} cannot be written to: {error.strerror}") from error
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
            raise StorageError(f"{self.url} cannot be written to: {error.strerror}") from error
        return draft

    def _path(self, key: str) -> Path:
        if ".." in key.split("/"):
            raise StorageError(f"{key!r} would leave the bucket")
        return self._root / key


def _open_draft(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")


def _in_its_folder(path: Path, put: Callable[[], object]) -> None:
    """Make the folder where it is missing: asking first would cost a call for each write."""
    try:
        put()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        put()
