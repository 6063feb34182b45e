"""Run requests for the chain over explicit keys, and the keys that runs are processing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from assets.recordings.open_backfills import has_open_backfill
from escriba.stages import CHAIN, RECORDINGS_JOB

_PARTITION_TAG = "dagster/partition"
_RANGE_TAG = "dagster/asset_partition_range_start"
IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def keys_in_progress(instance: dg.DagsterInstance) -> set[str]:
    """Partition keys that a running or queued run contains."""
    runs = instance.get_runs(dg.RunsFilter(job_name=RECORDINGS_JOB, statuses=IN_PROGRESS))
    return {key for run in runs for key in keys_of(run.run_config)}


def keys_being_processed(instance: dg.DagsterInstance) -> set[str] | None:
    """The same, with the partition of each run from the UI; None: nobody knows all of them.

    A backfill from the UI makes its runs little by little. A run with a range of partitions has a
    part of an order that changes, so nobody knows its keys later.
    """
    if has_open_backfill(instance):
        return None
    keys = set[str]()
    for run in instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)):
        if _RANGE_TAG in run.tags:
            return None
        keys.update(keys_of(run.run_config))
        if _PARTITION_TAG in run.tags:
            keys.add(run.tags[_PARTITION_TAG])
    return keys


def keys_of(run_config: Mapping[str, Any]) -> list[str]:
    """The explicit keys of a run of the chain; empty if it has partition tags instead."""
    config = run_config.get("ops", {}).get(CHAIN, {}).get("config", {})
    return list(config.get("keys", ()))


def run_of(  # noqa: PLR0913  # what differs between runs, by name
    keys: Sequence[str],
    *,
    run_key: str,
    reason: str,
    stages: Iterable[str] = (),
    retry: bool = False,
    forced: Iterable[str] = (),
) -> dg.RunRequest:
    """One run over these partitions, which must exist in the instance."""
    config = {"keys": list(keys), "stages": list(stages), "retry": retry}
    tags = tags_of(keys, batch=run_key, reason=reason)
    force = ",".join(forced)
    return dg.RunRequest(
        run_key=run_key,
        job_name=RECORDINGS_JOB,
        run_config={"ops": {CHAIN: {"config": config}}},
        tags=tags | ({"escriba/force": force} if force else {}),
    )


def tags_of(keys: Sequence[str], *, batch: str, reason: str) -> dict[str, str]:
    """The tags of a run in the UI: its reason, batch and tenant."""
    return {"escriba/reason": reason, "escriba/batch": batch, "escriba/tenant": _tenant(keys)}


def _tenant(keys: Sequence[str]) -> str:
    tenants = {key.partition("/")[0] for key in keys}
    return next(iter(tenants)) if len(tenants) == 1 else f"{len(tenants)} tenants"
