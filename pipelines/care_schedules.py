"""Schedules of cleanup, backup and care of the database; each has a time in the settings."""

from zoneinfo import ZoneInfo

import dagster as dg

from assets.recordings.partitions import PARTITIONS_NAME
from escriba.settings import NightSettings

from .care_jobs import backup_job, cleanup_job, database_care_job, retirement_job
from .schedules import daily, local_date

_HOURLY = "15 * * * *"


def cleanup_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Every night at CLEANUP_AT in NIGHTLY_TIMEZONE; after an outage only one cleanup is made."""
    description = "Deletes what is past its age every night."
    return _at(settings, "cleanup", cleanup_job, daily(settings.cleanup_at), description)


def backup_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Every night at BACKUP_AT in NIGHTLY_TIMEZONE; after an outage only one backup is made."""
    description = "Backs up Dagster's records and the settings every night."
    return _at(settings, "backup", backup_job, daily(settings.backup_at), description)


def database_care_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Every Sunday at DATABASE_CARE_AT in NIGHTLY_TIMEZONE."""
    description = "Compacts Dagster's records every Sunday."
    at = settings.database_care_at
    return _at(settings, "database_care", database_care_job, _on_sunday(at), description)


def _on_sunday(at: str) -> str:
    return daily(at).removesuffix("*") + "0"


def _at(
    settings: NightSettings, name: str, job: dg.JobDefinition, cron: str, description: str
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{name}-{local_date(context, settings)}")

    return schedule


def retirement_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Every night at RETIREMENT_AT in NIGHTLY_TIMEZONE; every hour while Dagster is nearly full."""

    @dg.schedule(
        name="retirement_schedule",
        job=retirement_job,
        cron_schedule=[daily(settings.retirement_at), _HOURLY],
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Lets finished recordings leave Dagster, and deletes old runs and events.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from assets.recordings.retire_partitions import FEW_ALIVE  # noqa: PLC0415  # the UI loads no stores

        at = context.scheduled_execution_time.astimezone(ZoneInfo(settings.nightly_timezone))
        if f"{at:%H:%M}" == settings.retirement_at.zfill(5):
            return dg.RunRequest(run_key=f"retirement-{local_date(context, settings)}")
        alive = len(context.instance.get_dynamic_partitions(PARTITIONS_NAME))
        if alive <= FEW_ALIVE:
            return dg.SkipReason(f"Dagster has {alive:,} recordings, which is not too many.")
        return dg.RunRequest(run_key=f"retirement-{at:%Y-%m-%dT%H:%M%z}")

    return schedule
