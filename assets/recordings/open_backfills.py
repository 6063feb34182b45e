"""Backfills from the UI that have not ended; the names of their states are private to Dagster."""

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

_OPEN = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]


def has_open_backfill(instance: dg.DagsterInstance) -> bool:
    """Whether one is in progress: some of its runs may not exist yet, so nobody knows all keys."""
    return instance.get_backfills_count(BulkActionsFilter(statuses=_OPEN)) > 0
