"""Work requests that cannot be used: moved aside with a reason, so that the others go on."""

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
    """`requests-refused/<name>.reason.json`, beside the request itself."""

    model_config = ConfigDict(frozen=True)

    key: str
    reason: str
    advice: str
    at: datetime

    @property
    def sentence(self) -> str:
        """What happened, to what, and what to do."""
        return f"The work request {self.key!r} {self.reason}. {self.advice}"


def move_aside(storage: Storage, bad: BadRequest) -> RefusedRequest:
    """Move a request to requests-refused/, however large it is; repeated after a kill."""
    name = printable(bad.key.removeprefix(PREFIX)).replace("\\", "_")
    aside = f"{REFUSED}{name}"
    refused = RefusedRequest(
        key=f"{PREFIX}{name}",
        reason=bad.reason,
        advice=f"Correct {aside!r} and put it back into {PREFIX}, or delete it and its reason.",
        at=datetime.now(UTC),
    )
    storage.write(f"{aside}{_REASON}", refused.model_dump_json(indent=1).encode())
    try:
        with storage.local_copy(bad.key, storage.scratch()) as path:
            storage.upload(aside, path)
    except FileNotFoundError:
        return refused  # another process has moved it
    storage.delete(bad.key)
    return refused


def read_refused(storage: Storage) -> Iterator[RefusedRequest]:
    """The requests that were moved aside and are still there."""
    for found in storage.list(REFUSED):
        if isinstance(found, StoredObject) and found.key.endswith(_REASON):
            refused = read_or_remake(storage, found.key, RefusedRequest)
            if refused is not None:
                yield refused
