"""Why a recording failed, or waits: one record for each, named by hash, the name inside."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, ValidationError

from resources.failures import OVER_BUDGET
from resources.storage.base import Storage, Stored

PREFIX = "quarantine/"
_NO_TENANT = "_"


class Refusal(BaseModel):
    """`quarantine/<tenant>/<hash>.json`. Permanent: not tried again before the file changes.

    name: for people; a space that does not break is written as an escape there, and not in `key`.
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

    @property
    def inbox_key(self) -> str:
        """The file's own key, where one can be written down."""
        return self.key or self.name  # records of older versions have the printable one alone

    @property
    def is_deferred(self) -> bool:
        """Nothing is wrong with it: it waits until so much may be spent."""
        return self.code == OVER_BUDGET


def refusal_key(inbox_key: str, tenant: str | None) -> str:
    """Where the record of a file lies; any bytes may stand in its name."""
    digest = hashlib.sha256(inbox_key.encode(errors="surrogateescape")).hexdigest()[:32]
    return f"{PREFIX}{tenant or _NO_TENANT}/{digest}.json"


def printable(name: str) -> str:
    """A name with what is not valid UTF-8, and control characters, written as escapes."""
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
) -> Refusal:
    """Keep the record, in place of an older one of the same file."""
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
    )
    storage.write(refusal_key(inbox_key, tenant), refusal.model_dump_json(indent=1).encode())
    return refusal


def read_refusal(storage: Storage, key: str) -> Refusal | None:
    """One record; None where there is none, or no record."""
    body = storage.read(key)
    try:
        return Refusal.model_validate_json(body) if body is not None else None
    except ValidationError:
        return None


def read_refusals(storage: Storage) -> Iterator[tuple[str, Refusal]]:
    """All records with their keys; what is no record is passed over."""
    for found in storage.list(PREFIX):
        refusal = read_refusal(storage, found.key) if isinstance(found, Stored) else None
        if refusal is not None:
            yield found.key, refusal
