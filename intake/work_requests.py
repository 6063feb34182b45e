"""Work requests: files in the bucket that a sensor turns into runs of up to BATCH_SIZE recordings.

Jobs without config, the command line and the nightly run request work in the same way, and one
process decides what runs.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Final

from pydantic import BaseModel, ConfigDict

from escriba.recordings import NameRefusedError, Recording, from_partition_key
from escriba.stages import STAGES
from gpu_job.contract.documents import LARGE
from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import DamagedError, read_stored

from .quarantine import printable

PREFIX = "requests/"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}")  # becomes a key of the bucket
_MOST_REASON: Final = 200  # characters, since it becomes a tag of a run


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


@dataclass(frozen=True, slots=True)
class BadRequest:
    """An object in requests/ that is no request. reason: completes 'The request …'."""

    key: str
    reason: str


def read_requests(storage: Storage) -> Iterator[WorkRequest]:
    """All valid requests that wait, in the order of their names, oldest first."""
    return (one for one in look_at_requests(storage) if isinstance(one, WorkRequest))


def look_at_requests(storage: Storage) -> Iterator[WorkRequest | BadRequest]:
    """Everything in requests/, in the order of the names; one bad request hides no other."""
    for found in storage.list(PREFIX):
        if isinstance(found, StoredObject):
            seen = _look_at(storage, found.key)
            if seen is not None:
                yield seen


def _look_at(storage: Storage, key: str) -> WorkRequest | BadRequest | None:
    try:
        request = read_stored(storage, key, WorkRequest, LARGE)
    except DamagedError as error:
        return BadRequest(key, error.reason)
    fault = _fault(request, key) if request else ""
    return BadRequest(key, fault) if fault else request


def _fault(request: WorkRequest, key: str) -> str:
    """What is wrong with a request that can be read; empty: nothing."""
    if not _ID.fullmatch(request.id) or ".." in request.id:
        return "has an id that cannot be a name"
    if request.key != key:  # it would be deleted in place of this one
        return f"has the id of another request ({request.id})"
    unknown = sorted({*request.stages, *request.forced} - set(STAGES))
    if unknown:
        return f"names {unknown[0]!r}, which is no asset of a recording"
    wrong = next((each for each in request.keys if not _is_partition(each)), None)
    if wrong is not None:  # Dagster would refuse to add it, and all others with it
        return f"names {printable(wrong)[:_MOST_REASON]!r}, which cannot be a recording"
    if not request.reason.isprintable() or len(request.reason) > _MOST_REASON:
        return "has a reason that is too long, or not printable"
    return ""


def _is_partition(key: str) -> bool:
    try:
        return from_partition_key(key).partition_key == key
    except NameRefusedError:
        return False
