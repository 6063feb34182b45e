"""When all runs of a night have ended, its digest is written; at the latest after eight hours."""

import time
from collections.abc import Sequence

import dagster as dg

from pipelines.jobs import NIGHT_TAG, digest_job, nightly_job

from .running import IN_PROGRESS

_AT_LATEST_SECONDS = 8 * 3_600
_REQUEST_SECONDS = 120  # so long the requests sensor may take to begin the runs
_NIGHTS_AT_ONCE = 3


@dg.sensor(
    job=digest_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="One digest for each night, when its work is over.",
)
def digest_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """The run key is the night, so that each has one digest."""
    nights = _nights_of(context.instance)
    now = time.time()
    over = [night for night, asked_at in nights if _is_over(context.instance, now - asked_at)]
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"digest-{night}", tags={NIGHT_TAG: night}) for night in over
        ],
        skip_reason=None if over else "No night is over that has no digest.",
    )


def _nights_of(instance: dg.DagsterInstance) -> Sequence[tuple[str, float]]:
    """The last nights and when their requests were written, as timestamps."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=nightly_job.name, statuses=[dg.DagsterRunStatus.SUCCESS]),
        limit=_NIGHTS_AT_ONCE,
    )
    return [
        (record.dagster_run.tags[NIGHT_TAG], record.end_time)
        for record in records
        if NIGHT_TAG in record.dagster_run.tags and record.end_time is not None
    ]


def _is_over(instance: dg.DagsterInstance, age_seconds: float) -> bool:
    if age_seconds > _AT_LATEST_SECONDS:
        return True
    runs = instance.get_runs(
        dg.RunsFilter(tags={"escriba/reason": "the night"}, statuses=IN_PROGRESS), limit=1
    )
    return not runs and age_seconds > _REQUEST_SECONDS
