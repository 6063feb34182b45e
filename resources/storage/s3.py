"""S3, and whatever speaks its language, through obstore."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, InvalidPathError, NotFoundError
from obstore.store import S3Store

from gpu_job.contract import Address
from pipelines.settings import Settings

from .base import Oddity, Permission, StorageError, Stored
from .s3_listing import list_any_key

_CONTENT_TYPE = "application/octet-stream"
_CHUNK_BYTES = 8 << 20


class S3Storage:
    """A bucket or a prefix of one. The Protocol `Storage` says what each method does."""

    whole_at_once = True

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket, self._prefix, self._settings = bucket, prefix, settings
        self._store = S3Store(bucket, prefix=prefix or None, **_options(settings))

    def list(self, prefix: str, after: str = "") -> Iterator[Stored | Oddity]:
        """Obstore is thrice as fast as boto3, but one key it cannot parse hides all others."""
        try:
            pages = obstore.list(self._store, prefix, offset=after or None)
            for page in pages:
                for meta in page:
                    after = meta["path"]
                    yield _stored(meta)
        except (InvalidPathError, ValueError):  # a key, or `after` itself
            yield from list_any_key(self._bucket, self._prefix, prefix, after, self._settings)
        except BaseError as error:
            raise StorageError(f"{prefix!r} cannot be listed: {_kind(error)}") from None

    def head(self, key: str) -> Stored | None:
        try:
            return _stored(obstore.head(self._store, key))
        except (NotFoundError, FileNotFoundError):
            return None
        except BaseError as error:
            raise StorageError(f"{key!r} cannot be looked at: {_kind(error)}") from None

    def read(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError):
            return None
        except BaseError as error:
            raise StorageError(f"{key!r} cannot be read: {_kind(error)}") from None

    def write(self, key: str, data: bytes) -> str:
        return self._put(key, data)

    def create(self, key: str, data: bytes) -> bool:
        try:
            obstore.put(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except BaseError as error:
            raise StorageError(f"{key!r} cannot be created: {_kind(error)}") from None
        return True

    def upload(self, key: str, path: Path) -> str:
        return self._put(key, path)

    def _put(self, key: str, data: bytes | Path) -> str:
        try:
            return _unquoted(obstore.put(self._store, key, data)["e_tag"])
        except BaseError as error:
            raise StorageError(f"{key!r} cannot be written: {_kind(error)}") from None

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:
        path = scratch / uuid4().hex
        try:
            with path.open("wb") as file:
                for chunk in obstore.get(self._store, key).stream(min_chunk_size=_CHUNK_BYTES):
                    file.write(chunk)
            yield path
        except NotFoundError:
            raise FileNotFoundError(key) from None
        except BaseError as error:
            raise StorageError(f"{key!r} cannot be read: {_kind(error)}") from None
        finally:
            path.unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        try:
            obstore.delete(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as error:
            raise StorageError(f"{key!r} cannot be deleted: {_kind(error)}") from None

    def address(self, key: str, permission: Permission, life: timedelta) -> Address:
        """A presigned URL. If-None-Match need not be signed; a type is set, or bodies get lost."""
        method = "GET" if permission == "read" else "PUT"
        headers = {} if permission == "read" else {"Content-Type": _CONTENT_TYPE}
        if permission == "create":
            headers["If-None-Match"] = "*"
        url = obstore.sign(self._store, method, key, life)
        return Address(method=method, url=url, headers=headers)

    def scratch(self) -> Path:
        """The system's folder for temporary files."""
        from tempfile import gettempdir  # noqa: PLC0415

        folder = Path(gettempdir()) / "escriba"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _options(settings: Settings) -> dict[str, Any]:
    secrets = {
        "access_key_id": settings.aws_access_key_id.get_secret_value(),
        "secret_access_key": settings.aws_secret_access_key.get_secret_value(),
        "session_token": settings.aws_session_token.get_secret_value(),
    }
    options: dict[str, Any] = {name: value for name, value in secrets.items() if value}
    options["region"] = settings.aws_region
    if settings.aws_endpoint_url:
        options["endpoint"] = settings.aws_endpoint_url
        options["client_options"] = {"allow_http": settings.aws_endpoint_url.startswith("http://")}
    return options


def _stored(meta: Any) -> Stored:  # noqa: ANN401  # obstore's typed dictionary
    return Stored(meta["path"], meta["size"], _unquoted(meta["e_tag"]), meta["last_modified"])


def _unquoted(etag: str | None) -> str:
    return (etag or "").strip('"')


def _kind(error: Exception) -> str:
    """The class alone: obstore's messages may quote a whole signed request."""
    return type(error).__name__
