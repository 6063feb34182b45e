"""Turns work requests in the bucket (`intake.work_requests`) into runs of up to BATCH_SIZE keys."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import BaseModel, ValidationError

from assets.recordings.partitions import add_partitions, new_keys
from escriba.masked_errors import masks_errors
from escriba.stages import RECORDINGS_JOB
from intake.work_requests import BadRequest, UnreadRequest, WorkRequest, look_at_requests

from .running import keys_in_progress, keys_of, run_of

if TYPE_CHECKING:
    from resources.storage.base import Storage

INTERVAL_SECONDS = 15
_RUNS_PER_TICK = 20  # each takes about a second, and a tick has 60
_QUICKLY_MOVED_BYTES = 1 << 20


class _Cursor(BaseModel):
    """The number of runs started for each request; requests in `taken` can be deleted."""

    begun: dict[str, int] = {}
    taken: frozenset[str] = frozenset()


@dataclass
class _Seen:
    """What is in requests/. later: ids of requests that the store did not give or delete."""

    waiting: list[WorkRequest] = field(default_factory=list)
    bad: list[BadRequest] = field(default_factory=list)
    later: set[str] = field(default_factory=set)


@dg.sensor(
    name="requests_sensor",
    job_name=RECORDINGS_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Starts runs requested by nightly_job, retry_failed_job or `escriba backfill`.",
)
@masks_errors
def requests_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """A request is deleted one tick after its last run was started and recorded."""
    from resources.storage import open_storage  # noqa: PLC0415  # the UI process loads no stores

    settings = context.resources.settings
    storage = open_storage(settings)
    before = _read(context.cursor)
    seen = _seen(context, storage, before)
    busy = keys_in_progress(context.instance) if seen.waiting else set()
    new, room = new_keys(context.instance, _keys(seen.waiting)) if seen.waiting else (set(), 0)
    runs, after = next_runs(seen.waiting, before, busy, settings.batch_size, new=new, room=room)
    cursor = _remembered(before, after, seen.later)
    add_partitions(context.instance, [key for run in runs for key in keys_of(run.run_config)])
    _move_aside(context, storage, seen.bad, _QUICKLY_MOVED_BYTES if runs else None)
    return dg.SensorResult(
        run_requests=runs,
        skip_reason=None if runs else "There are no requests.",
        cursor=cursor.model_dump_json(),
    )


def _seen(context: dg.SensorEvaluationContext, storage: "Storage", cursor: _Cursor) -> _Seen:
    """The requests with work, and the bad ones; deletes those that are taken."""
    from resources.storage.base import StorageError  # noqa: PLC0415  # the UI loads no stores

    seen = _Seen()
    for request in look_at_requests(storage):
        if isinstance(request, BadRequest):
            seen.bad.append(request)
        elif isinstance(request, UnreadRequest):
            context.log.warning("%s It is read again in the next tick.", request.reason)
            seen.later.add(request.id)
        elif request.id not in cursor.taken:
            seen.waiting.append(request)
        else:
            try:
                storage.delete(request.key)
            except StorageError as error:
                context.log.warning("%s It is deleted in the next tick.", error)
                seen.later.add(request.id)
    return seen


def _move_aside(
    context: dg.SensorEvaluationContext,
    storage: "Storage",
    bad: Iterable[BadRequest],
    most_bytes: int | None,
) -> None:
    """Move bad requests aside, and say so; large ones wait for a tick that starts no runs.

    A move over a slow link may end the tick, and its runs with it.
    """
    from intake.refused_requests import move_aside  # noqa: PLC0415  # the UI process loads no stores
    from resources.storage.base import StorageError  # noqa: PLC0415

    for one in bad:
        if most_bytes is not None and one.size_bytes > most_bytes and not one.stays:
            continue
        try:
            refused = move_aside(storage, one)
        except StorageError as error:
            context.log.warning("%r %s, and cannot be moved: %s", one.key, one.reason, error)
            continue
        if refused is not None:
            context.log.warning("%s", refused.sentence)


def _remembered(before: _Cursor, after: _Cursor, later: set[str]) -> _Cursor:
    """The cursor with what was known of the requests that were not looked at."""
    begun = {one: count for one, count in before.begun.items() if one in later}
    return _Cursor(begun=begun | after.begun, taken=after.taken | (before.taken & later))


def _keys(waiting: Iterable[WorkRequest]) -> set[str]:
    return {key for request in waiting for key in request.keys}


def next_runs(  # noqa: PLR0913  # what it depends on
    waiting: Iterable[WorkRequest],
    cursor: _Cursor,
    busy: set[str],
    size: int,
    *,
    new: AbstractSet[str] = frozenset(),
    room: int = 0,
) -> tuple[list[dg.RunRequest], _Cursor]:
    """The runs to start now, and the cursor after them.

    Batches are cut from all keys of a request, so that a batch number always means the same keys.
    Keys that a run is processing are then left out, unless they are forced.

    new: keys that are not in Dagster; room: how many of them it can take. Others wait.
    """
    runs: list[dg.RunRequest] = []
    begun, taken = {}, set()
    for request in waiting:
        done = cursor.begun.get(request.id, 0)
        for number, batch in enumerate(_batches(request, size)):
            if number < done:
                continue
            adds = len(new & set(batch))
            if len(runs) == _RUNS_PER_TICK or adds > room:
                break
            room -= adds
            keys = [key for key in batch if request.forced or key not in busy]
            if keys:
                runs.append(_run(request, number, keys))
            done = number + 1
        else:
            taken.add(request.id)
        begun[request.id] = done
    return runs, _Cursor(begun=begun, taken=frozenset(taken))


def _run(request: WorkRequest, number: int, keys: list[str]) -> dg.RunRequest:
    return run_of(
        keys,
        run_key=f"{request.id}-{number}",
        reason=request.reason,
        stages=request.stages,
        retry=request.retry,
        forced=request.forced,
    )


def _batches(request: WorkRequest, size: int) -> Iterator[tuple[str, ...]]:
    for first in range(0, len(request.keys), size):
        yield request.keys[first : first + size]


def _read(text: str | None) -> _Cursor:
    try:
        return _Cursor.model_validate_json(text) if text else _Cursor()
    except ValidationError:
        return _Cursor()
