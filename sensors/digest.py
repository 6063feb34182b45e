"""Starts the digest of a night when all its runs have ended, at the latest after eight hours."""

import time
from collections.abc import Sequence

import dagster as dg

from escriba.masked_errors import masks_errors
from escriba.stages import DIGEST_JOB, NIGHT_TAG, NIGHTLY_JOB

from .running import IN_PROGRESS

_MAX_WAIT_SECONDS = 8 * 3_600
_REQUEST_SECONDS = 120  # that the requests sensor may take to start the runs
_MAX_NIGHTS = 3


@dg.sensor(
    job_name=DIGEST_JOB,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Writes one digest for each nightly run, once its work is finished.",
)
@masks_errors
def digest_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """The run key is the night, so that each night has one digest."""
    nights = _recent_nights(context.instance)
    now = time.time()
    over = [night for night, started_at in nights if _is_over(context.instance, now - started_at)]
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"digest-{night}", tags={NIGHT_TAG: night}) for night in over
        ],
        skip_reason=None if over else "No nightly run has finished without a digest.",
    )


def _recent_nights(instance: dg.DagsterInstance) -> Sequence[tuple[str, float]]:
    """The last nights, each with the timestamp of its request."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=NIGHTLY_JOB, statuses=[dg.DagsterRunStatus.SUCCESS]),
        limit=_MAX_NIGHTS,
    )
    return [
        (record.dagster_run.tags[NIGHT_TAG], record.end_time)
        for record in records
        if NIGHT_TAG in record.dagster_run.tags and record.end_time is not None
    ]


def _is_over(instance: dg.DagsterInstance, age_seconds: float) -> bool:
    if age_seconds > _MAX_WAIT_SECONDS:
        return True
    runs = instance.get_runs(
        dg.RunsFilter(tags={"escriba/reason": "the night"}, statuses=IN_PROGRESS), limit=1
    )
    return not runs and age_seconds > _REQUEST_SECONDS
