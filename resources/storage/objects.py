"""The common part of all cloud stores: objects through obstore, and presigned addresses.

A store adds its credentials, its way of signing, and the meaning of its errors.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Literal
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, InvalidPathError, NotFoundError
from obstore.store import AzureStore, GCSStore, S3Store

from gpu_job.contract import Address

from .base import Permission, StorageError, StoredObject, TooLargeError, UnusableObject
from .faults import ERRORS, Faults, is_bucket_missing
from .scratch import sweep

Method = Literal["GET", "PUT"]

_CONTENT_TYPE = "application/octet-stream"
_CHUNK_BYTES = 8 << 20


class ObjectStorage(ABC):
    """A bucket, or a prefix in one. The Protocol `Storage` documents each method."""

    writes_appear_whole = True
    longer_life_advice = ""  # what you can do to get addresses that live longer
    # headers that make a PUT fail if the key exists, and headers of every PUT
    create_headers: Mapping[str, str] = {"If-None-Match": "*"}
    put_headers: Mapping[str, str] = {"Content-Type": _CONTENT_TYPE}

    def __init__(self, url: str, store: AzureStore | GCSStore | S3Store, faults: Faults) -> None:
        self.url, self._store, self._faults = url.rstrip("/"), store, faults

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
            found = obstore.get(self._store, key)
            if limit_bytes is not None and found.meta["size"] > limit_bytes:
                raise TooLargeError(key, limit_bytes)
            return bytes(found.bytes())
        except (NotFoundError, FileNotFoundError) as error:
            if is_bucket_missing(error):
                raise self._failed(key, "read", error) from None
            return None
        except ERRORS as error:
            raise self._failed(key, "read", error) from None

    def write(self, key: str, data: bytes) -> str:
        return self._put(key, data)

    def create(self, key: str, data: bytes) -> bool:
        try:
            obstore.put(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except ERRORS as error:
            raise self._failed(key, "created", error) from None
        return True

    def upload(self, key: str, path: Path) -> str:
        return self._put(key, path)

    def _put(self, key: str, data: bytes | Path) -> str:
        try:
            return unquoted(obstore.put(self._store, key, data)["e_tag"])
        except ERRORS as error:
            raise self._failed(key, "written", error) from None

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:
        path = scratch / uuid4().hex
        try:
            self._download(key, path)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _download(self, key: str, path: Path) -> None:
        try:
            stream = obstore.get(self._store, key).stream(min_chunk_size=_CHUNK_BYTES)
            with path.open("wb") as file:
                for chunk in stream:
                    file.write(chunk)
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


def unquoted(etag: str | None) -> str:
    """An ETag without quotes, for comparison: Azure quotes it in some responses only."""
    return (etag or "").strip('"')


def client_options(endpoint: str) -> dict[str, Any]:
    """The obstore options for an endpoint without TLS, such as one on loopback."""
    return {"client_options": {"allow_http": True}} if endpoint.startswith("http://") else {}


def _stored(meta: Any) -> StoredObject:  # noqa: ANN401  # obstore's typed dictionary
    return StoredObject(meta["path"], meta["size"], unquoted(meta["e_tag"]), meta["last_modified"])


def _hours(life: timedelta) -> str:
    return f"{life.total_seconds() / 3600:.1f} h"
