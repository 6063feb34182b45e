"""Schedules of cleanup, backup and care of the database; each has a time in the settings."""

import dagster as dg

from escriba.settings import NightSettings

from .care_jobs import cleanup_job
from .schedules import daily, local_date


def cleanup_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Every night at CLEANUP_AT in NIGHTLY_TIMEZONE; after an outage only one cleanup is made."""

    @dg.schedule(
        name="cleanup_schedule",
        job=cleanup_job,
        cron_schedule=daily(settings.cleanup_at),
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Deletes what is past its age every night.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"cleanup-{local_date(context, settings)}")

    return schedule
