"""Work requests: files in the bucket that a sensor turns into runs of up to BATCH_SIZE recordings.

Jobs without config, the command line and the nightly run request work in the same way, and one
process decides what runs.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from secrets import token_hex

from pydantic import BaseModel, ConfigDict, ValidationError

from escriba.recordings import Recording
from resources.storage.base import Storage, StoredObject

PREFIX = "requests/"


class WorkRequest(BaseModel):
    """`requests/<id>.json`: partition keys and how to process them; removed once processed."""

    model_config = ConfigDict(frozen=True)

    id: str
    reason: str
    keys: tuple[str, ...]
    stages: tuple[str, ...] = ()
    retry: bool = False
    forced: tuple[str, ...] = ()
    made_at: datetime

    @property
    def key(self) -> str:
        """Its key in the bucket."""
        return f"{PREFIX}{self.id}.json"


def new_request(  # noqa: PLR0913  # the fields of a request, by name
    reason: str,
    recordings: Iterable[Recording],
    *,
    name: str = "",
    stages: Iterable[str] = (),
    retry: bool = False,
    forced: Iterable[str] = (),
) -> WorkRequest:
    """A request; one with a `name` is submitted once, however often it is created."""
    now = datetime.now(UTC)
    return WorkRequest(
        id=name or f"{now:%Y%m%dT%H%M%S}-{reason.replace(' ', '-')}-{token_hex(4)}",
        reason=reason,
        keys=tuple(recording.partition_key for recording in recordings),
        stages=tuple(stages),
        retry=retry,
        forced=tuple(forced),
        made_at=now,
    )


def submit_request(storage: Storage, request: WorkRequest) -> bool:
    """Write the request into the bucket; False if one of that name already exists."""
    return storage.create(request.key, request.model_dump_json(indent=1).encode())


def read_requests(storage: Storage) -> Iterator[WorkRequest]:
    """All valid requests that wait, in the order of their names, oldest first."""
    for found in storage.list(PREFIX):
        body = storage.read(found.key) if isinstance(found, StoredObject) else None
        try:
            if body is not None:
                yield WorkRequest.model_validate_json(body)
        except ValidationError:
            continue
