"""Turns work requests in the bucket (`intake.work_requests`) into runs of up to BATCH_SIZE keys."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import BaseModel, ValidationError

from assets.recordings.partitions import add_partitions
from escriba.masked_errors import masks_errors
from escriba.stages import RECORDINGS_JOB
from intake.work_requests import BadRequest, WorkRequest, look_at_requests

from .running import keys_in_progress, keys_of, run_of

if TYPE_CHECKING:
    from resources.storage.base import Storage

INTERVAL_SECONDS = 15
_RUNS_PER_TICK = 20  # each takes about a second, and a tick has 60


class _Cursor(BaseModel):
    """The number of runs started for each request; requests in `taken` can be deleted."""

    begun: dict[str, int] = {}
    taken: frozenset[str] = frozenset()


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
    cursor = _read(context.cursor)
    waiting = _waiting(context, storage, cursor)
    busy = keys_in_progress(context.instance) if waiting else set()
    runs, cursor = next_runs(waiting, cursor, busy, settings.batch_size)
    add_partitions(context.instance, [key for run in runs for key in keys_of(run.run_config)])
    return dg.SensorResult(
        run_requests=runs,
        skip_reason=None if runs else "There are no requests.",
        cursor=cursor.model_dump_json(),
    )


def _waiting(
    context: dg.SensorEvaluationContext, storage: "Storage", cursor: _Cursor
) -> list[WorkRequest]:
    """The requests with work; deletes those that are taken, and moves aside those that are bad."""
    from intake.refused_requests import move_aside  # noqa: PLC0415  # the UI process loads no stores

    waiting = []
    for request in look_at_requests(storage):
        if isinstance(request, BadRequest):
            context.log.warning("%s", move_aside(storage, request).sentence)
        elif request.id in cursor.taken:
            storage.delete(request.key)
        else:
            waiting.append(request)
    return waiting


def next_runs(
    waiting: Iterable[WorkRequest], cursor: _Cursor, busy: set[str], size: int
) -> tuple[list[dg.RunRequest], _Cursor]:
    """The runs to start now, and the cursor after them.

    Batches are cut from all keys of a request, so that a batch number always means the same keys.
    Keys that a run is processing are then left out, unless they are forced.
    """
    runs: list[dg.RunRequest] = []
    begun, taken = {}, set()
    for request in waiting:
        done = cursor.begun.get(request.id, 0)
        for number, batch in enumerate(_batches(request, size)):
            if number < done:
                continue
            if len(runs) == _RUNS_PER_TICK:
                break
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
