"""Writes the events of a run, many at once. Alone touches Dagster's private names.

`context.log_event` is a write of its own each time and holds up whoever calls it: on PostgreSQL
a batch of a thousand events is twenty times cheaper. Where a private name is missing in another
version of Dagster, the public way is taken.
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

from .events import AnyEvent, Link, events_of, red_stages
from .names import STAGES
from .progress import Outcome

try:
    from dagster._core.events import DagsterEventBatchMetadata
except ImportError:
    DagsterEventBatchMetadata = None

GATHER_SECONDS = 0.5  # outcomes that come together are written together
_BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
_AT_ONCE = 1_000
_OUTCOMES_AT_ONCE = 200  # all events of a night at once would be hundreds of megabytes
_STATEMENT_TIMEOUT_MS = 60_000
# an asset's page shows one event of a run for each millisecond, and hides the rest
_APART_SECONDS = 0.001


class EventWriter:
    """Gathers the outcomes of a run; a thread writes them, so that no recording waits."""

    def __init__(
        self, context: dg.AssetExecutionContext, selected: Iterable[str], link: Link
    ) -> None:
        self._context, self._selected, self._link = context, set(selected), link
        self._waiting: list[Outcome] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, outcome: Outcome) -> None:
        """Called in the event loop; written soon after."""
        self._waiting.append(outcome)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Write what is left; raises what kept the store from taking it."""
        if self._task is not None:
            await self._task

    async def _write_soon(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        while self._waiting:
            outcomes = self._waiting[:_OUTCOMES_AT_ONCE]
            del self._waiting[:_OUTCOMES_AT_ONCE]
            await asyncio.to_thread(self._write, outcomes)

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        """A stage after the other, so that each can point to the one before; red marks last."""
        for stage in STAGES:
            pointer = newest_event(self._context.instance)
            write_events(
                self._context,
                [e for o in outcomes for e in events_of(o, stage, self._link, pointer)],
            )
        for outcome in outcomes:
            for stage in red_stages(outcome, self._selected):
                mark_planned(self._context, stage, outcome.recording.partition_key)


@asynccontextmanager
async def open_writer(
    context: dg.AssetExecutionContext, selected: Iterable[str], link: Link
) -> AsyncIterator[EventWriter]:
    """A writer that has written everything when the block is left, whichever way."""
    keep_connected(context.instance)
    writer = EventWriter(context, selected, link)
    try:
        yield writer
    finally:
        await asyncio.shield(writer.close())


def keep_connected(instance: dg.DagsterInstance) -> None:
    """Dagster's runs connect anew for each write, its webserver keeps its connections: so do we.

    On PostgreSQL that halves the time of a batch, and the server's CPU is an eighth.
    """
    instance.event_log_storage.optimize_for_webserver(
        statement_timeout=_STATEMENT_TIMEOUT_MS, pool_recycle=3_600, max_overflow=2
    )


def write_events(context: dg.AssetExecutionContext, events: Sequence[AnyEvent]) -> None:
    """Events of one asset, in batches of one kind, as the store wants them."""
    batches: defaultdict[type, list[AnyEvent]] = defaultdict(list)
    for event in events:
        batches[type(event)].append(event)
    write = write_singly if DagsterEventBatchMetadata is None else write_batch
    with _batches_enabled():
        for batch in batches.values():
            write(context, batch)


def newest_event(instance: dg.DagsterInstance) -> int | None:
    """The number of the newest event in Dagster's log; None where there is none."""
    return instance.event_log_storage.get_maximum_record_id()


def mark_planned(context: dg.AssetExecutionContext, stage: str, partition: str) -> None:
    """Without a materialization after it in this run, which fails, the partition turns red."""
    planned = AssetMaterializationPlannedData(
        dg.AssetKey(stage), partition=partition, partitions_subset=None
    )
    event = DagsterEvent.build_asset_materialization_planned_event(
        context.run.job_name, _step(context).step.key, planned
    )
    context.instance.report_dagster_event(event, context.run.run_id)


def write_batch(context: dg.AssetExecutionContext, batch: Sequence[AnyEvent]) -> None:
    """By Dagster's private way, in one write of the store."""
    step, name = _step(context), token_hex(6)
    for i, event in enumerate(batch, start=1):
        time.sleep(_APART_SECONDS)
        part = DagsterEventBatchMetadata(name, is_end=i == len(batch))
        if isinstance(event, dg.AssetMaterialization):
            DagsterEvent.asset_materialization(step, event, part)
        elif isinstance(event, dg.AssetObservation):
            DagsterEvent.asset_observation(step, event, part)
        else:  # the store takes no batches of these
            DagsterEvent.asset_check_evaluation(step, event)


def write_singly(context: dg.AssetExecutionContext, batch: Sequence[AnyEvent]) -> None:
    """By the public way."""
    for event in batch:
        context.log_event(event)


def _step(context: dg.AssetExecutionContext) -> Any:  # noqa: ANN401  # a private class
    return context.op_execution_context.get_step_execution_context()


@contextmanager
def _batches_enabled() -> Iterator[None]:
    """Dagster asks the environment at every event; what others write meanwhile is not batched."""
    before = os.environ.get(_BATCH_SIZE)
    os.environ[_BATCH_SIZE] = str(_AT_ONCE)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_BATCH_SIZE]
        else:
            os.environ[_BATCH_SIZE] = before
