"""Deletes runs past their age with all that Dagster keeps of them; it prunes only ticks itself.

The run's own row goes last, so that a call that is killed leaves nothing that no run names. What
Dagster's API leaves behind (results of checks, tags and event files of SQLite, backfills) is
deleted here, with names that are private, as `event_writer` and `open_backfills` have some.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.runs.schema import BackfillTagsTable, BulkActionsTable, RunTagsTable
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from .partitions import PARTITIONS_NAME

MOST_AT_ONCE: Final = 2_000
_PAGE: Final = 100
_ENDED: Final = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_BACKFILL_ENDED: Final = [
    "COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED",
]  # fmt: skip
_PARTITION_TAGS: Final = (
    PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG,
)  # fmt: skip

KeysOf = Callable[[Mapping[str, Any]], list[str]]  # the explicit keys in a run's config


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a call deleted. kept: runs past their age with recordings that have not retired."""

    runs: int
    backfills: int
    kept: int

    @property
    def headline(self) -> str:
        """The result as one line."""
        kept = f"; {self.kept:,} wait for recordings to retire" if self.kept else ""
        return f"Deleted {self.runs:,} old runs and {self.backfills:,} backfills{kept}."


def delete_runs(
    instance: dg.DagsterInstance,
    now: datetime,
    runs_days: int,
    keys_of: KeysOf,
    *,
    most: int = MOST_AT_ONCE,
) -> Deleted:
    """Delete up to `most` runs that ended `runs_days` ago and have no living partition."""
    border = now - timedelta(days=runs_days)
    alive = frozenset(instance.get_dynamic_partitions(PARTITIONS_NAME))
    deleted = kept = 0
    cursor, is_over = None, False  # the cursor is a run that stays, since it must exist
    while not is_over and deleted < most:
        page = _oldest(instance, cursor)
        old = {one.dagster_run.run_id for one in page if _ended_at(one) <= border.timestamp()}
        is_over = not old
        for run in (one.dagster_run for one in page):
            if run.run_id not in old or _has_any(run, alive, keys_of):
                kept += run.run_id in old
                cursor = run.run_id
            elif deleted < most:
                delete_run(instance, run.run_id)
                deleted += 1
    return Deleted(deleted, _delete_backfills(instance, border), kept)


def delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its events, checks, tags and output; may be repeated after a kill."""
    events, runs = instance.event_log_storage, instance.run_storage
    _delete_events(events, run_id)
    with events.index_connection() as connection:  # type: ignore[attr-defined]
        checks = AssetCheckExecutionsTable
        connection.execute(db.delete(checks).where(checks.c.run_id == run_id))
    _delete_event_files(events, run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    with runs.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(db.delete(RunTagsTable).where(RunTagsTable.c.run_id == run_id))
    runs.delete_run(run_id)


def _delete_events(events: Any, run_id: str) -> None:  # noqa: ANN401  # a private class
    """A run on SQLite may have lost its file already; its events of assets are in the index too."""
    if events.is_run_sharded and not Path(events.path_for_shard(run_id)).exists():
        with events.index_connection() as connection:
            events.delete_events_for_run(connection, run_id)
    else:
        events.delete_events(run_id)


def _delete_event_files(events: Any, run_id: str) -> None:  # noqa: ANN401  # a private class
    """SQLite has a file of events for each run."""
    if not events.is_run_sharded:
        return
    path = events.path_for_shard(run_id)
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()


def _delete_backfills(instance: dg.DagsterInstance, border: datetime) -> int:
    """Delete a page of backfills that began before the border and have ended."""
    table, at = BulkActionsTable, border.astimezone(UTC).replace(tzinfo=None)
    old = db.and_(table.c.timestamp <= at, table.c.status.in_(_BACKFILL_ENDED))
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        ids = [row[0] for row in connection.execute(db.select(table.c.key).where(old).limit(_PAGE))]
        tags = BackfillTagsTable
        connection.execute(db.delete(tags).where(tags.c.backfill_id.in_(ids)))
        connection.execute(db.delete(table).where(table.c.key.in_(ids)))
    return len(ids)


def _oldest(instance: dg.DagsterInstance, cursor: str | None) -> Sequence[dg.RunRecord]:
    filters = dg.RunsFilter(statuses=_ENDED)
    return instance.get_run_records(filters, limit=_PAGE, ascending=True, cursor=cursor)


def _ended_at(record: dg.RunRecord) -> float:
    return record.end_time or record.update_timestamp.timestamp()


def _has_any(run: dg.DagsterRun, alive: Container[str], keys_of: KeysOf) -> bool:
    """Whether one of its partitions lives; of a range, only the ends are known."""
    tags = [run.tags[tag] for tag in _PARTITION_TAGS if tag in run.tags]
    return any(key in alive for key in (*keys_of(run.run_config), *tags))
