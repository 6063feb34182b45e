"""S3, and whatever speaks its language, through obstore."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, InvalidPathError, NotFoundError
from obstore.store import S3Store

from gpu_job.contract import Address
from pipelines.settings import Settings, SettingsError

from .base import Oddity, Permission, StorageError, Stored
from .s3_faults import ERRORS, is_bucket_missing, reason
from .s3_listing import list_any_key
from .scratch import sweep

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
        except ERRORS as error:
            raise StorageError(f"{prefix!r} cannot be listed: {reason(error)}") from None

    def head(self, key: str) -> Stored | None:
        try:
            return _stored(obstore.head(self._store, key))
        except (NotFoundError, FileNotFoundError):
            return None
        except ERRORS as error:
            raise StorageError(f"{key!r} cannot be looked at: {reason(error)}") from None

    def read(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            if is_bucket_missing(error):
                raise StorageError(f"{key!r} cannot be read: {reason(error)}") from None
            return None
        except ERRORS as error:
            raise StorageError(f"{key!r} cannot be read: {reason(error)}") from None

    def write(self, key: str, data: bytes) -> str:
        return self._put(key, data)

    def create(self, key: str, data: bytes) -> bool:
        try:
            obstore.put(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except ERRORS as error:
            raise StorageError(f"{key!r} cannot be created: {reason(error)}") from None
        return True

    def upload(self, key: str, path: Path) -> str:
        return self._put(key, path)

    def _put(self, key: str, data: bytes | Path) -> str:
        try:
            return _unquoted(obstore.put(self._store, key, data)["e_tag"])
        except ERRORS as error:
            raise StorageError(f"{key!r} cannot be written: {reason(error)}") from None

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
            raise StorageError(f"{key!r} cannot be read: {reason(error)}") from None

    def delete(self, key: str) -> None:
        try:
            obstore.delete(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except ERRORS as error:
            raise StorageError(f"{key!r} cannot be deleted: {reason(error)}") from None

    def address(self, key: str, permission: Permission, life: timedelta) -> Address:
        """A presigned URL. If-None-Match need not be signed; a type is set, or bodies get lost."""
        method = "GET" if permission == "read" else "PUT"
        headers = {} if permission == "read" else {"Content-Type": _CONTENT_TYPE}
        if permission == "create":
            headers["If-None-Match"] = "*"
        url = obstore.sign(self._store, method, key, life)
        return Address(method=method, url=url, headers=headers)

    def address_life(self) -> timedelta | None:
        return timedelta(days=7)

    def scratch(self) -> Path:
        """A folder of this user's among the system's temporary ones; some users have no name."""
        folder = Path(gettempdir()) / f"escriba-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        sweep(folder)
        return folder


def _options(settings: Settings) -> dict[str, Any]:
    secrets = {
        "access_key_id": settings.aws_access_key_id.get_secret_value(),
        "secret_access_key": settings.aws_secret_access_key.get_secret_value(),
        "session_token": settings.aws_session_token.get_secret_value(),
    }
    options: dict[str, Any] = {name: value for name, value in secrets.items() if value}
    if not options:
        options["credential_provider"] = _chain()
    options["region"] = settings.aws_region
    if settings.aws_endpoint_url:
        options["endpoint"] = settings.aws_endpoint_url
        options["client_options"] = {"allow_http": settings.aws_endpoint_url.startswith("http://")}
    return options


def _chain() -> Any:  # noqa: ANN401  # obstore has no type for it
    """AWS's own chain: profile, container, instance; obstore alone knows no profiles."""
    import boto3  # noqa: PLC0415  # 0.5 s, and not needed where the keys are settings
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415

    session = boto3.Session()
    if session.get_credentials() is None:
        raise SettingsError(
            "S3 needs credentials, and none were found: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws, or run where a role gives them."
        )
    return Boto3CredentialProvider(session)


def _stored(meta: Any) -> Stored:  # noqa: ANN401  # obstore's typed dictionary
    return Stored(meta["path"], meta["size"], _unquoted(meta["e_tag"]), meta["last_modified"])


def _unquoted(etag: str | None) -> str:
    return (etag or "").strip('"')
