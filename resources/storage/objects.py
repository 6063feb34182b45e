"""The common part of all cloud stores: objects through obstore, and presigned addresses.

A store adds its credentials, its way of signing, and the meaning of its errors.
"""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Literal
from uuid import uuid4

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    GenericError,
    InvalidPathError,
    NotFoundError,
)

from gpu_job.contract import Address

from .base import (
    NoConditionalWritesError,
    Permission,
    StorageError,
    StoredObject,
    TooLargeError,
    UnusableObject,
)
from .etags import plain_etag, version_of
from .faults import ERRORS, Faults, is_bucket_missing
from .link_patience import (
    DOWNLOAD,
    LARGE_BYTES,
    PART_BYTES,
    PARTS_AT_ONCE,
    SMALL,
    UPLOAD,
    UPLOADS_AT_ONCE,
    Patience,
)
from .partial_file import partial_file
from .resumed_download import BODY_BROKE, Download, Store
from .scratch import sweep
from .store_answer import answer_of

Method = Literal["GET", "PUT"]

_CONTENT_TYPE = "application/octet-stream"


class ObjectStorage(ABC):
    """A bucket, or a prefix in one. The Protocol `Storage` documents each method."""

    writes_appear_whole = True
    longer_life_advice = ""  # what you can do to get addresses that live longer
    # headers that make a PUT fail if the key exists, and headers of every PUT
    create_headers: Mapping[str, str] = {"If-None-Match": "*"}
    put_headers: Mapping[str, str] = {"Content-Type": _CONTENT_TYPE}

    def __init__(self, url: str, open_store: Callable[[Patience], Store], faults: Faults) -> None:
        self.url, self._open_store, self._faults = url.rstrip("/"), open_store, faults
        self._store = open_store(SMALL)
        self._uploads = threading.BoundedSemaphore(UPLOADS_AT_ONCE)

    @cached_property
    def _upload_store(self) -> Store:
        return self._open_store(UPLOAD)

    @cached_property
    def _download_store(self) -> Store:
        return self._open_store(DOWNLOAD)

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject | UnusableObject]:
        """List through obstore, up to a key that obstore cannot parse; then list without it."""
        try:
            for page in obstore.list(self._store, prefix, offset=after or None):
                for meta in page:
                    after = meta["path"]
                    yield _stored(meta)
        except (InvalidPathError, ValueError):  # a key, or `after` itself
            yield from self._list_any_key(prefix, after)
        except ERRORS as error:
            raise self._failed(prefix, "listed", error) from None

    @abstractmethod
    def _list_any_key(self, prefix: str, after: str) -> Iterator[StoredObject | UnusableObject]:
        """The same listing without obstore, for any key (docs/decisions/0002)."""

    def head(self, key: str) -> StoredObject | None:
        try:
            return _stored(obstore.head(self._store, key))
        except (NotFoundError, FileNotFoundError):
            return None
        except ERRORS as error:
            raise self._failed(key, "read", error) from None

    def read(self, key: str, limit_bytes: int | None = None) -> bytes | None:
        try:
            return self._read(key, limit_bytes)
        except (NotFoundError, FileNotFoundError) as error:
            if is_bucket_missing(error):
                raise self._failed(key, "read", error) from None
            return None
        except ERRORS as error:
            raise self._failed(key, "read", error) from None

    def _read(self, key: str, limit_bytes: int | None) -> bytes:
        """In one piece; in several only if that broke, which costs more."""
        try:
            found = obstore.get(self._download_store, key)
            if limit_bytes is not None and found.meta["size"] > limit_bytes:
                raise TooLargeError(key, limit_bytes)
            return bytes(found.bytes())
        except GenericError as error:
            if BODY_BROKE not in str(error):  # the library has tried the rest again itself
                raise
        received = BytesIO()
        Download(self._download_store, key, received, limit_bytes=limit_bytes).run()
        return received.getvalue()

    def write(self, key: str, data: bytes) -> str:
        return self._put(key, data, len(data))

    def create(self, key: str, data: bytes) -> bool:
        try:
            obstore.put(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except ERRORS as error:
            failed = self._failed(key, "created", error)
            if answer_of(error).is_not_implemented:
                raise NoConditionalWritesError(str(failed)) from None
            raise failed from None
        return True

    def upload(self, key: str, path: Path) -> str:
        return self._put(key, path, path.stat().st_size)

    def _put(self, key: str, data: bytes | Path, size_bytes: int) -> str:
        try:
            etag = self._sent(key, data, size_bytes)
        except ERRORS as error:
            raise self._failed(key, "written", error) from None
        return etag or self._etag_after(key)

    def _sent(self, key: str, data: bytes | Path, size_bytes: int) -> str:
        if size_bytes < LARGE_BYTES:
            return plain_etag(obstore.put(self._store, key, data)["e_tag"])
        with self._uploads:
            put = obstore.put(
                self._upload_store,
                key,
                data,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        return plain_etag(put["e_tag"])

    def _etag_after(self, key: str) -> str:
        """For a store whose answer to a PUT has none."""
        found = self.head(key)
        return found.etag if found else ""

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:
        path = scratch / uuid4().hex
        try:
            self._download(key, path)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _download(self, key: str, path: Path) -> None:
        """Into the file; what breaks off is kept for the next run (`partial_file.py`)."""
        try:
            with partial_file(path.parent, f"{self.url}/{key}") as partial:
                begun = partial.begun()
                Download(
                    self._download_store,
                    key,
                    partial.file,
                    begun=begun,
                    on_begin=partial.note_begin,
                ).run()
                partial.move_to(path)
        except (NotFoundError, FileNotFoundError):
            raise FileNotFoundError(key) from None
        except ERRORS as error:
            raise self._failed(key, "read", error) from None

    def delete(self, key: str) -> None:
        try:
            obstore.delete(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except ERRORS as error:
            raise self._failed(key, "deleted", error) from None

    def address(self, key: str, permission: Permission, life: timedelta) -> Address:
        """A presigned URL and the headers to send with it; no request unless `_sign` needs one."""
        longest = self._longest()
        if life > longest:
            raise StorageError(
                f"{key!r} needs a signed URL that is valid for {_hours(life)}, but the credentials "
                f"allow {_hours(longest)}. Lower QUEUE_LIMIT_SECONDS or JOB_TIMEOUT_SECONDS"
                f"{self.longer_life_advice and f', or {self.longer_life_advice}'}."
            )
        headers: dict[str, str] = {}
        if permission != "read":
            headers |= self.put_headers
        if permission == "create":
            headers |= self.create_headers
        method: Method = "GET" if permission == "read" else "PUT"
        url = self._sign(method, key, life, headers)
        return Address(method=method, url=url, headers=headers)

    @abstractmethod
    def _sign(self, method: Method, key: str, life: timedelta, headers: Mapping[str, str]) -> str:
        """A URL that allows one operation on one key.

        Raises:
            StorageError: the cloud's signing service failed.
        """

    def address_life(self) -> timedelta | None:
        return self._longest()

    @abstractmethod
    def _longest(self) -> timedelta:
        """The longest validity of an address."""

    def scratch(self) -> Path:
        """This user's folder in the system's temporary folder; by id, as some have no name."""
        folder = Path(gettempdir()) / f"escriba-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        sweep(folder)
        return folder

    def _failed(self, key: str, what: str, error: Exception) -> StorageError:
        return StorageError(f"{key!r} cannot be {what}: {self._faults.reason(error)}")


def _stored(meta: Any) -> StoredObject:  # noqa: ANN401  # obstore's typed dictionary
    size, modified = meta["size"], meta["last_modified"]
    return StoredObject(meta["path"], size, version_of(meta["e_tag"], size, modified), modified)


def _hours(life: timedelta) -> str:
    return f"{life.total_seconds() / 3600:.1f} h"
