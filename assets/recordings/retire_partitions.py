"""Retires the partitions of finished recordings: Dagster works with at most 100,000.

Nothing is remembered between two calls. A call that is killed has deleted some partitions, and
the next one finds the rest.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import dagster as dg

from escriba.stages import COST_METRICS, STAGES
from intake.retirement import finished_times
from resources.storage.base import Storage

from .partitions import MOST_ALIVE, PARTITIONS_NAME

FEW_ALIVE: Final = 80_000  # above it, finished recordings retire early, the oldest first
MOST_AT_ONCE: Final = 20_000  # each is a transaction of a millisecond
_DELETED_TOGETHER: Final = 500  # between two looks at what runs are processing

Busy = Callable[[], set[str] | None]  # keys that runs are processing; None: nobody knows


@dataclass(frozen=True, slots=True)
class Retired:
    """What a call retired. early: those that were finished for less than PARTITIONS_DAYS."""

    partitions: int = 0
    early: int = 0
    alive: int = 0
    is_postponed: bool = False

    @property
    def headline(self) -> str:
        """The result as one line."""
        if self.is_postponed:
            return "No recording retired: a backfill is in progress. The next call tries again."
        early = f" ({self.early:,} of them early, to make room)" if self.early else ""
        full = "" if self.alive < MOST_ALIVE else "; new files wait until some are finished"
        return (
            f"Retired {self.partitions:,} finished recordings from Dagster{early}; "
            f"{self.alive:,} are left{full}."
        )


def retire_partitions(  # noqa: PLR0913  # what it works on, and its limits
    instance: dg.DagsterInstance,
    storage: Storage,
    now: datetime,
    partitions_days: int,
    busy: Busy,
    *,
    most: int = MOST_AT_ONCE,
    few_alive: int = FEW_ALIVE,
) -> Retired:
    """Delete the partitions of recordings that were finished `partitions_days` ago.

    While more than `few_alive` are left, others follow that were finished later.
    """
    alive = instance.get_dynamic_partitions(PARTITIONS_NAME)
    border = now - timedelta(days=partitions_days)
    recent = _reported_since(instance, border)
    old = (
        key
        for key, at in finished_times(storage, (key for key in alive if key not in recent))
        if at is not None and at <= border
    )
    retired = _delete(instance, islice(old, most), busy)
    if retired is None:
        return Retired(alive=len(alive), is_postponed=True)
    too_many = len(alive) - retired - few_alive
    early = _retire_early(instance, storage, busy, min(most - retired, too_many))
    if retired or early:
        # a status that the UI keeps would hold the retired keys for ever
        instance.wipe_asset_cached_status([dg.AssetKey(stage) for stage in STAGES])
    return Retired(retired + early, early, len(alive) - retired - early)


def _retire_early(instance: dg.DagsterInstance, storage: Storage, busy: Busy, count: int) -> int:
    """Delete the `count` partitions that were finished first; fewer, if fewer are finished."""
    if count <= 0:
        return 0
    alive = instance.get_dynamic_partitions(PARTITIONS_NAME)
    finished = ((at, key) for key, at in finished_times(storage, alive) if at is not None)
    return _delete(instance, (key for _, key in heapq.nsmallest(count, finished)), busy) or 0


def _reported_since(instance: dg.DagsterInstance, border: datetime) -> set[str]:
    """Keys with an event since then: brought back, or simply new. Saves reading their records."""
    before = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(COST_METRICS), before_timestamp=border.timestamp()),
        limit=1,
    ).records
    newest_before = before[0].storage_id if before else 0
    last = instance.get_latest_storage_id_by_partition(
        dg.AssetKey(COST_METRICS),
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        after_cursor=newest_before,
    )
    return set(last)


def _delete(instance: dg.DagsterInstance, keys: Iterator[str], busy: Busy) -> int | None:
    """Delete those that no run is processing; None: nobody knows what the runs process."""
    deleted = 0
    while chunk := list(islice(keys, _DELETED_TOGETHER)):
        processed = busy()
        if processed is None:
            return deleted or None
        for key in (key for key in chunk if key not in processed):
            instance.delete_dynamic_partition(PARTITIONS_NAME, key)
            deleted += 1
    return deleted
