"""Work that somebody asks for: a file in the bucket that a sensor turns into runs of 500.

So a job without any config, the command line and the night ask in the same way, and one process
decides what runs.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from secrets import token_hex

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.recordings import Recording
from resources.storage.base import Storage, Stored

PREFIX = "requests/"


class WorkRequest(BaseModel):
    """`requests/<id>.json`: partition keys, and what is wished for them; taken, then removed."""

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
        """Where it lies."""
        return f"{PREFIX}{self.id}.json"


def new_request(  # noqa: PLR0913  # what a request may wish for, by name
    reason: str,
    recordings: Iterable[Recording],
    *,
    name: str = "",
    stages: Iterable[str] = (),
    retry: bool = False,
    forced: Iterable[str] = (),
) -> WorkRequest:
    """A request; one with a `name` is made once, however often it is asked for."""
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


def ask(storage: Storage, request: WorkRequest) -> bool:
    """Put it into the bucket; False where one of that name lies there already."""
    return storage.create(request.key, request.model_dump_json(indent=1).encode())


def read_requests(storage: Storage) -> Iterator[WorkRequest]:
    """All that wait, the oldest names first; what is no request is passed over."""
    for found in storage.list(PREFIX):
        body = storage.read(found.key) if isinstance(found, Stored) else None
        try:
            if body is not None:
                yield WorkRequest.model_validate_json(body)
        except ValidationError:
            continue
