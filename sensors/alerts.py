"""Decides about alerts once a minute and sends them; starts no run."""

from functools import lru_cache
from typing import TYPE_CHECKING

import dagster as dg

from escriba.masked_errors import masks_errors
from escriba.stages import RECORDINGS_JOB

from .running import keys_of

if TYPE_CHECKING:
    from intake.watch import Watch


@dg.sensor(
    name="alert_sensor",
    job_name=RECORDINGS_JOB,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Sends alerts and digests to ALERT_CHANNELS: one message when something begins, "
    "one when it is over.",
)
@masks_errors
def alert_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """A sensor and not a schedule: Dagster keeps ticks of sensors that start nothing for two days.

    It never starts a run, which would wait in the queue behind what it is to warn of.
    """
    # the UI process loads no stores
    from resources.storage import open_storage  # noqa: PLC0415
    from resources.storage.clock import utc_now  # noqa: PLC0415

    settings = context.resources.settings
    if not settings.alert_places:
        return dg.SkipReason("ALERT_CHANNELS is not set.")
    waiting = _queued_recordings(context.instance)
    return dg.SkipReason(_watch().look(settings, open_storage(settings), waiting, utc_now()))


@lru_cache(maxsize=1)
def _watch() -> "Watch":
    from intake.watch import Watch  # noqa: PLC0415

    return Watch()


def _queued_recordings(instance: dg.DagsterInstance) -> int:
    queued = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
    runs = instance.get_runs(dg.RunsFilter(job_name=RECORDINGS_JOB, statuses=queued))
    return sum(len(keys_of(run.run_config)) for run in runs)
