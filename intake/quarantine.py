"""Why a recording failed or is deferred: one record each, named by hash, with the name inside."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from escriba.errors import OVER_BUDGET
from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import read_or_remake

PREFIX = "quarantine/"
_NO_TENANT = "_"
_NEXT_RUN = "The next run tries again."
MOST_KILLS = 2  # a file that ended the process that read it this often is not tried again


class Refusal(BaseModel):
    """`quarantine/<tenant>/<hash>.json`. Permanent: not retried until the file changes.

    name: printable; other characters, such as a no-break space, are escaped there but not in `key`.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    key: str = ""
    etag: str
    stage: str
    code: str
    message: str
    advice: str
    permanent: bool
    at: datetime
    needs_usd: Decimal | None = None
    kills: int = 0  # how often the process that read this version of the file was ended

    @property
    def inbox_key(self) -> str:
        """The file's own key, where it is valid UTF-8."""
        return self.key or self.name  # records of older versions have only the printable name

    @property
    def is_deferred(self) -> bool:
        """The recording has not failed: it waits until the budget allows it."""
        return self.code == OVER_BUDGET


def refusal_key(inbox_key: str, tenant: str | None) -> str:
    """The key of a file's record; the file's name may contain any bytes."""
    digest = hashlib.sha256(inbox_key.encode(errors="surrogateescape")).hexdigest()[:32]
    return f"{PREFIX}{tenant or _NO_TENANT}/{digest}.json"


def printable(name: str) -> str:
    """The name with control characters and invalid UTF-8 written as escapes."""
    text = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def write_refusal(  # noqa: PLR0913  # a record, field by field
    storage: Storage,
    inbox_key: str,
    tenant: str | None,
    *,
    etag: str,
    stage: str,
    code: str,
    message: str,
    advice: str,
    permanent: bool,
    needs_usd: Decimal | None = None,
    kills: int = 0,
) -> Refusal:
    """Write the record; it replaces an older one of the same file."""
    refusal = Refusal(
        name=printable(inbox_key),
        key=inbox_key if _is_utf8(inbox_key) else "",
        etag=etag,
        stage=stage,
        code=code,
        message=message,
        advice=advice,
        permanent=permanent,
        at=datetime.now(UTC),
        needs_usd=needs_usd,
        kills=kills,
    )
    storage.write(refusal_key(inbox_key, tenant), refusal.model_dump_json(indent=1).encode())
    return refusal


def count_kill(  # noqa: PLR0913  # a record, field by field
    storage: Storage,
    inbox_key: str,
    tenant: str | None,
    *,
    etag: str,
    stage: str,
    code: str,
    message: str,
    advice: str,
) -> Refusal:
    """Write at once that the process that read a file was ended, before anyone tries it again.

    Whatever happens to this process then, the file is tried MOST_KILLS times and no more.
    """
    before = read_refusal(storage, refusal_key(inbox_key, tenant))
    kills = 1 + (before.kills if before is not None and before.etag == etag else 0)
    is_last = kills >= MOST_KILLS
    then = "It is not tried again until the file changes." if is_last else _NEXT_RUN
    return write_refusal(
        storage,
        inbox_key,
        tenant,
        etag=etag,
        stage=stage,
        code=code,
        message=f"{message} {then}",
        advice=advice,
        permanent=is_last,
        kills=kills,
    )


def read_refusal(storage: Storage, key: str) -> Refusal | None:
    """One record; None if it is missing or not valid."""
    return read_or_remake(storage, key, Refusal)


def read_refusals(storage: Storage) -> Iterator[tuple[str, Refusal]]:
    """All valid records with their keys."""
    for found in storage.list(PREFIX):
        refusal = read_refusal(storage, found.key) if isinstance(found, StoredObject) else None
        if refusal is not None:
            yield found.key, refusal
