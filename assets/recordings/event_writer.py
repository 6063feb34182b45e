"""Writes the events of a run in batches. The only module that uses Dagster's private names.

`context.log_event` writes each event on its own and blocks its caller: on PostgreSQL a batch of a
thousand events is twenty times cheaper. If another version of Dagster lacks a private name, the
public API is used.
"""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex
from typing import Any

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from escriba.stages import STAGES

from .events import AnyEvent, Link, events_of, failed_stages
from .progress import RecordingOutcome

try:
    from dagster._core.events import DagsterEventBatchMetadata
except ImportError:
    DagsterEventBatchMetadata = None  # type: ignore[assignment,misc]  # a class or None

GATHER_SECONDS = 0.5  # outcomes within this time are written together
_BATCH_SIZE_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
_EVENTS_PER_WRITE = 1_000
_OUTCOMES_PER_WRITE = 200  # all events of a night together would be hundreds of megabytes
_STATEMENT_TIMEOUT_MS = 60_000
# an asset's page shows only one event of a run for each millisecond
_EVENT_SPACING_SECONDS = 0.001


class EventWriter:
    """Collects the outcomes of a run; a thread writes them, so that no recording waits."""

    def __init__(
        self, context: dg.AssetExecutionContext, selected: Iterable[str], link: Link
    ) -> None:
        self._context, self._selected, self._link = context, set(selected), link
        self._waiting: list[RecordingOutcome] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, outcome: RecordingOutcome) -> None:
        """Schedule an outcome for writing; must be called in the event loop."""
        self._waiting.append(outcome)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Write the remaining outcomes; raises the error of a failed write."""
        if self._task is not None:
            await self._task

    async def _write_soon(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        while self._waiting:
            outcomes = self._waiting[:_OUTCOMES_PER_WRITE]
            del self._waiting[:_OUTCOMES_PER_WRITE]
            await asyncio.to_thread(self._write, outcomes)

    def _write(self, outcomes: Sequence[RecordingOutcome]) -> None:
        """Write stage by stage, so that each points to the one before; failed marks come last."""
        for stage in STAGES:
            pointer = newest_event(self._context.instance)
            write_events(
                self._context,
                [e for o in outcomes for e in events_of(o, stage, self._link, pointer)],
            )
        for outcome in outcomes:
            for stage in failed_stages(outcome, self._selected):
                mark_planned(self._context, stage, outcome.recording.partition_key)


@asynccontextmanager
async def open_writer(
    context: dg.AssetExecutionContext, selected: Iterable[str], link: Link
) -> AsyncIterator[EventWriter]:
    """A writer that has written all outcomes when the block ends, also after an error."""
    keep_connected(context.instance)
    writer = EventWriter(context, selected, link)
    try:
        yield writer
    finally:
        await asyncio.shield(writer.close())


def keep_connected(instance: dg.DagsterInstance) -> None:
    """Keep database connections open, as Dagster's webserver does; its runs reconnect each time.

    On PostgreSQL this halves the time of a batch and cuts the server's CPU time to an eighth.
    """
    instance.event_log_storage.optimize_for_webserver(
        statement_timeout=_STATEMENT_TIMEOUT_MS, pool_recycle=3_600, max_overflow=2
    )


def write_events(context: dg.AssetExecutionContext, events: Sequence[AnyEvent]) -> None:
    """Write events of one asset, in batches of one type, as the store requires."""
    batches: defaultdict[type, list[AnyEvent]] = defaultdict(list)
    for event in events:
        batches[type(event)].append(event)
    write = write_singly if DagsterEventBatchMetadata is None else write_batch
    with _batches_enabled():
        for batch in batches.values():
            write(context, batch)


def newest_event(instance: dg.DagsterInstance) -> int | None:
    """The ID of the newest event in Dagster's log; None if the log is empty."""
    return instance.event_log_storage.get_maximum_record_id()


def mark_planned(context: dg.AssetExecutionContext, stage: str, partition: str) -> None:
    """Record a planned materialization, so that the UI shows the partition as failed.

    A partition is failed if a failed run plans it and does not materialize it afterwards.
    """
    planned = AssetMaterializationPlannedData(
        dg.AssetKey(stage), partition=partition, partitions_subset=None
    )
    event = DagsterEvent.build_asset_materialization_planned_event(
        context.run.job_name, _step(context).step.key, planned
    )
    context.instance.report_dagster_event(event, context.run.run_id)


def write_batch(context: dg.AssetExecutionContext, batch: Sequence[AnyEvent]) -> None:
    """Write the events together, with Dagster's private API."""
    step, name = _step(context), token_hex(6)
    for i, event in enumerate(batch, start=1):
        time.sleep(_EVENT_SPACING_SECONDS)
        part = DagsterEventBatchMetadata(name, is_end=i == len(batch))
        if isinstance(event, dg.AssetMaterialization):
            DagsterEvent.asset_materialization(step, event, part)
        elif isinstance(event, dg.AssetObservation):
            DagsterEvent.asset_observation(step, event, part)
        else:  # the store does not support batches of these
            DagsterEvent.asset_check_evaluation(step, event)


def write_singly(context: dg.AssetExecutionContext, batch: Sequence[AnyEvent]) -> None:
    """Write the events one by one, with the public API."""
    for event in batch:
        context.log_event(event)


def _step(context: dg.AssetExecutionContext) -> Any:  # noqa: ANN401  # a private class
    return context.op_execution_context.get_step_execution_context()


@contextmanager
def _batches_enabled() -> Iterator[None]:
    """Set the batch size; Dagster reads it from the environment at every event."""
    before = os.environ.get(_BATCH_SIZE_VARIABLE)
    os.environ[_BATCH_SIZE_VARIABLE] = str(_EVENTS_PER_WRITE)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_BATCH_SIZE_VARIABLE]
        else:
            os.environ[_BATCH_SIZE_VARIABLE] = before
