"""Work requests that cannot be used: moved aside with a reason, so that the others go on."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import read_or_remake

from .quarantine import printable
from .work_requests import PREFIX, BadRequest

REFUSED = "requests-refused/"
_REASON = ".reason.json"


class RefusedRequest(BaseModel):
    """`requests-refused/<digest of the key>.reason.json`, beside the request itself."""

    model_config = ConfigDict(frozen=True)

    key: str
    reason: str
    advice: str
    at: datetime

    @property
    def sentence(self) -> str:
        """What happened, to what, and what to do."""
        return f"The work request {self.key!r} {self.reason}. {self.advice}"


def aside_of(key: str) -> str:
    """Where a request is moved to: a key that any store takes, however long its name was."""
    digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
    return f"{REFUSED}{digest[:32]}.json"


def move_aside(storage: Storage, bad: BadRequest) -> RefusedRequest | None:
    """Move a request to requests-refused/, with its reason; repeated after a kill.

    One that stays where it is gets only the reason, once: None if it has it.
    """
    aside = aside_of(bad.key)
    reason_key = f"{aside.removesuffix('.json')}{_REASON}"
    if bad.stays and storage.head(reason_key) is not None:
        return None
    refused = RefusedRequest(
        key=printable(bad.key).replace("\\", "_"),
        reason=bad.reason,
        advice=_advice(bad, aside, reason_key),
        at=datetime.now(UTC),
    )
    storage.write(reason_key, refused.model_dump_json(indent=1).encode())
    if not bad.stays:
        _move(storage, bad.key, aside)
    return refused


def _advice(bad: BadRequest, aside: str, reason_key: str) -> str:
    if bad.is_used:
        return f"Its other keys are processed. Request corrected ones, and delete {reason_key!r}."
    if bad.stays:
        return f"It stays there: compress it with gzip, or delete it; then delete {reason_key!r}."
    return f"Correct {aside!r} and put it back into {PREFIX}, or delete it and its reason."


def _move(storage: Storage, key: str, aside: str) -> None:
    try:
        with storage.local_copy(key, storage.scratch()) as path:
            storage.upload(aside, path)
    except FileNotFoundError:
        return  # another process has moved it
    storage.delete(key)


def read_refused(storage: Storage) -> Iterator[RefusedRequest]:
    """The requests that were moved aside and are still there."""
    for found in storage.list(REFUSED):
        if isinstance(found, StoredObject) and found.key.endswith(_REASON):
            refused = read_or_remake(storage, found.key, RefusedRequest)
            if refused is not None:
                yield refused
