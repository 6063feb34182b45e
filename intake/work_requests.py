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
from gpu_job.contract.documents import MEBIBYTE, DocumentLimits
from gpu_job.contract.packing import packed
from resources.storage.base import Storage, StorageError, StoredObject
from resources.storage.read_documents import DamagedError, read_stored

from .quarantine import printable

PREFIX = "requests/"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}")  # becomes a key of the bucket
# a million keys take 100 MB, and a third of that compressed
_LIMITS: Final = DocumentLimits(64 * MEBIBYTE, 512 * MEBIBYTE)
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
    return storage.create(request.key, packed(request.model_dump_json(indent=1).encode()))


@dataclass(frozen=True, slots=True)
class BadRequest:
    """An object in requests/ that cannot be used. reason: completes 'The request …'.

    stays: it is too large to be moved, or is_used: only some of its keys are refused.
    """

    key: str
    reason: str
    size_bytes: int = 0
    is_used: bool = False

    @property
    def stays(self) -> bool:
        """Whether it is left where it is."""
        return self.is_used or self.size_bytes > _LIMITS.stored_bytes


@dataclass(frozen=True, slots=True)
class UnreadRequest:
    """A request that the store did not give; it is read again later. reason: a sentence."""

    key: str
    reason: str

    @property
    def id(self) -> str:
        """The request's id, as its key has it."""
        return self.key.removeprefix(PREFIX).removesuffix(".json")


def read_requests(storage: Storage) -> Iterator[WorkRequest]:
    """All valid requests that wait, in the order of their names, oldest first.

    Raises:
        StorageError: one of them cannot be read.
    """
    for one in look_at_requests(storage):
        if isinstance(one, UnreadRequest):
            raise StorageError(one.reason)
        if isinstance(one, WorkRequest):
            yield one


Seen = WorkRequest | BadRequest | UnreadRequest


def look_at_requests(storage: Storage) -> Iterator[Seen]:
    """Everything in requests/, in the order of the names; one bad request hides no other.

    A request with some keys that cannot be recordings comes without them, and then as a bad one.
    """
    for found in storage.list(PREFIX):
        if isinstance(found, StoredObject):
            yield from _look_at(storage, found)


def _look_at(storage: Storage, found: StoredObject) -> Iterator[Seen]:
    key, size_bytes = found.key, found.size_bytes
    try:
        request = read_stored(storage, key, WorkRequest, _LIMITS)
    except DamagedError as error:
        yield BadRequest(key, error.reason, size_bytes)
        return
    except StorageError as error:
        yield UnreadRequest(key, str(error))
        return
    if request is None:
        return
    fault = _fault(request, key)
    wrong = [] if fault else [each for each in request.keys if not _is_partition(each)]
    if fault or wrong == [*request.keys] != []:
        yield BadRequest(key, fault or _names(wrong), size_bytes)
        return
    yield _without(request, wrong) if wrong else request
    if wrong:
        yield BadRequest(key, _names(wrong), size_bytes, is_used=True)


def _names(wrong: list[str]) -> str:
    """What is said of keys that Dagster would refuse to add, and all others with them."""
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return f"names {printable(wrong[0])[:_MOST_REASON]!r}{more}, which cannot be a recording"


def _without(request: WorkRequest, wrong: list[str]) -> WorkRequest:
    left_out = set(wrong)
    keys = tuple(each for each in request.keys if each not in left_out)
    return request.model_copy(update={"keys": keys})


def _fault(request: WorkRequest, key: str) -> str:
    """What is wrong with a request that can be read; empty: nothing."""
    if not _ID.fullmatch(request.id) or ".." in request.id:
        return "has an id that cannot be a name"
    if request.key != key:  # it would be deleted in place of this one
        return f"has the id of another request ({request.id})"
    unknown = sorted({*request.stages, *request.forced} - set(STAGES))
    if unknown:
        return f"names {unknown[0]!r}, which is no asset of a recording"
    if not request.reason.isprintable() or len(request.reason) > _MOST_REASON:
        return "has a reason that is too long, or not printable"
    return ""


def _is_partition(key: str) -> bool:
    try:
        return from_partition_key(key).partition_key == key
    except NameRefusedError:
        return False
