"""What arrived of a download that broke off: the next run goes on where it ended.

A file of the scratch folder, named by the object's address, and beside it a note of the version
that was begun. One process at a time holds it, by a lock that ends with the process. It is kept for
a day (`scratch.py`), and only until the machine starts anew: then its end may be missing on disk.
What is kept never fills the disk: of a full one, all of it is removed.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from obstore.exceptions import NotFoundError

from .link_patience import PART_BYTES

KEPT_BYTES: Final = 4_000_000_000  # of all partial files; the oldest go first
_KEPT_SHARE: Final = 0.1  # of their disk, which may be a small one in memory
_WORTH_BYTES: Final = PART_BYTES  # smaller objects are begun anew: 20 s at 2 Mbit/s
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_PREFIX, _NOTE = "partial-", ".json"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Begun:
    """The version of an object that a download has begun. etag: as the store writes it."""

    size_bytes: int
    etag: str

    @property
    def may_go_on_later(self) -> bool:
        """Whether it is worth it, and the store can tell whether the object is still this one."""
        is_strong = bool(self.etag) and not self.etag.startswith("W/")
        return is_strong and self.size_bytes >= _WORTH_BYTES


@dataclass(frozen=True)
class PartialFile:
    """An open file for one download. Nobody else writes it. is_found_again: by a later run."""

    path: Path
    file: BinaryIO
    is_found_again: bool = True

    @property
    def note(self) -> Path:
        """Where the version is noted."""
        return self.path.with_suffix(_NOTE)

    def begun(self) -> Begun | None:
        """The version that the file has the start of; None: it is empty, or of no known version."""
        length = self.file.seek(0, os.SEEK_END)
        with suppress(OSError, ValueError, TypeError):
            noted = json.loads(self.note.read_bytes())
            begun = Begun(int(noted["size_bytes"]), str(noted["etag"]))
            if noted["boot"] == _boot() and 0 < length < begun.size_bytes:
                return begun
        self.file.seek(0)
        self.file.truncate()
        return None

    def note_begin(self, begun: Begun) -> None:
        """Remembers the version of what is written from now on, if it is worth it."""
        boot = _boot()
        if self.is_found_again and begun.may_go_on_later and boot:
            self.note.write_text(json.dumps(asdict(begun) | {"boot": boot}))
        else:
            self.note.unlink(missing_ok=True)

    def move_to(self, path: Path) -> None:
        """Gives the finished file its name."""
        self.file.flush()
        self.path.rename(path)
        self.note.unlink(missing_ok=True)

    def give_up(self, *, is_worth_it: bool) -> None:
        """Keeps what a later run can go on with; the rest is removed."""
        if not is_worth_it:
            self.note.unlink(missing_ok=True)
        if not self.note.exists():
            self.path.unlink(missing_ok=True)


@contextmanager
def partial_file(folder: Path, address: str) -> Iterator[PartialFile]:
    """The file of an object, perhaps with its start; a new one if a process has it in use.

    Args:
        folder: The scratch folder.
        address: The store and the key.
    """
    name = hashlib.sha256(address.encode(errors="surrogateescape")).hexdigest()[:32]
    partial = _held(folder / f"{_PREFIX}{name}")
    if partial is None:
        path = folder / uuid4().hex
        partial = PartialFile(path, _opened(path), is_found_again=False)
    with partial.file:
        try:
            yield partial
        except BaseException as error:
            is_full = isinstance(error, OSError) and error.errno in _FULL
            is_gone = isinstance(error, FileNotFoundError | NotFoundError)
            partial.give_up(is_worth_it=not (is_full or is_gone))
            drop_oldest(folder, 0 if is_full else kept_bytes(folder))
            raise


def kept_bytes(folder: Path) -> int:
    """How much all partial files may take of this disk."""
    return min(KEPT_BYTES, int(shutil.disk_usage(folder).total * _KEPT_SHARE))


def drop_oldest(folder: Path, kept_bytes: int) -> None:
    """Removes the oldest partial files above a total size, but none that is in use."""
    found = [path for path in folder.glob(f"{_PREFIX}*") if path.suffix != _NOTE]
    total = 0
    for path in sorted(found, key=_age, reverse=True):
        with suppress(OSError):
            total += path.stat().st_size
            if total > kept_bytes and (partial := _held(path)):
                partial.path.unlink(missing_ok=True)
                partial.note.unlink(missing_ok=True)
                partial.file.close()


def _held(path: Path) -> PartialFile | None:
    """The file, for this process alone; None if another holds it or has just finished it."""
    file = _opened(path)
    with suppress(OSError):  # it is locked, or gone
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            return PartialFile(path, file)
    file.close()
    return None


def _opened(path: Path) -> BinaryIO:
    """The file for reading and writing, made if it is missing."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")


def _age(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _boot() -> str:
    """This start of the machine; empty where it has no name."""
    with suppress(OSError):
        return _BOOT.read_text().strip()
    return ""
