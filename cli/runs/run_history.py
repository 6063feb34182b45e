"""Lists the Dagster runs of a recording."""

from collections.abc import Iterator
from datetime import UTC, datetime

from escriba.recordings import Recording
from escriba.settings import Settings
from escriba.stages import STAGES

_LATEST = 5


def runs_of(settings: Settings, recording: Recording) -> Iterator[str]:
    """Yield a line for each recent run: id, time, reason, and the stages it ran or reused."""
    if not (settings.dagster_home / "dagster.yaml").exists():
        return
    import dagster as dg

    from .run_recordings import open_instance

    with open_instance(settings) as instance:
        stages: dict[str, list[str]] = {}
        times: dict[str, float] = {}
        for stage in STAGES:
            wanted = dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(stage), asset_partitions=[recording.partition_key]
            )
            for record in instance.fetch_materializations(wanted, limit=_LATEST).records:
                made = record.asset_materialization
                reused = made is not None and made.metadata["reused"].value
                stages.setdefault(record.run_id, []).append(f"{stage}{' (reused)' * bool(reused)}")
                times[record.run_id] = record.timestamp
        for run_id in sorted(times, key=times.__getitem__)[-_LATEST:]:
            run = instance.get_run_by_id(run_id)
            reason = run.tags.get("escriba/reason", "Dagster's UI") if run else "?"
            at = datetime.fromtimestamp(times[run_id], UTC)
            through = ", ".join(stages[run_id])
            yield f"run {run_id[:8]}  {at:%Y-%m-%d %H:%M} UTC  {reason}: {through}"
