"""Schedules of the nightly run, the daily report, the monthly statements and maintenance."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from escriba.reports.periods import month_before
from escriba.settings import NightSettings
from escriba.stages import NIGHT_TAG

from .jobs import (
    REPORT_TAG,
    STATEMENTS_TAG,
    compaction_job,
    nightly_job,
    reconcile_job,
    report_job,
    statements_job,
)


def nightly_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Every night in NIGHTLY_TIMEZONE; after an outage only one missed night is run."""

    @dg.schedule(
        name="nightly_schedule",
        job=nightly_job,
        cron_schedule=daily(settings.nightly_at),
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Requests all missing and deferred recordings every night.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        night = local_date(context, settings)
        return dg.RunRequest(run_key=night, tags={NIGHT_TAG: night})

    return schedule


def daily(at: str) -> str:
    """The cron expression of a time such as 02:00."""
    hour, minute = at.split(":")
    return f"{int(minute)} {int(hour)} * * *"


def local_date(context: dg.ScheduleEvaluationContext, settings: NightSettings) -> str:
    """The date of the tick in NIGHTLY_TIMEZONE."""
    local = context.scheduled_execution_time.astimezone(ZoneInfo(settings.nightly_timezone))
    return f"{local:%Y-%m-%d}"


def compaction_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """At 03:00 in the same time zone; skipped if no past day has more than one file."""

    @dg.schedule(
        name="compaction_schedule",
        job=compaction_job,
        cron_schedule="0 3 * * *",
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"settings"},
        description="Compacts past days of the ledger into one file each.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from resources.compaction import needs_compaction  # noqa: PLC0415  # the UI loads no stores
        from resources.storage import open_storage  # noqa: PLC0415

        if not needs_compaction(open_storage(context.resources.settings), datetime.now(UTC)):
            return dg.SkipReason("Every past day is already one file.")
        return dg.RunRequest(tags={"escriba/reason": "past days of the ledger"})

    return schedule


def report_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Every day at REPORT_AT in the same time zone; after an outage only one report is made."""

    @dg.schedule(
        name="report_schedule",
        job=report_job,
        cron_schedule=daily(settings.report_at),
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"settings"},
        description="Writes the daily report on costs and possible savings.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from assets.costs.cost_report import why_no_report  # noqa: PLC0415  # the UI loads no stores
        from resources.storage import open_storage  # noqa: PLC0415

        reason = why_no_report(open_storage(context.resources.settings))
        if reason:
            return dg.SkipReason(reason)
        day = local_date(context, settings)
        return dg.RunRequest(run_key=f"report-{day}", tags={REPORT_TAG: day})

    return schedule


def statements_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """On the first at REPORT_AT in the same time zone; once per month, also after an outage.

    If the month is not over by then in UTC, on the second.
    """

    @dg.schedule(
        name="statements_schedule",
        job=statements_job,
        cron_schedule=daily(settings.report_at).replace("* * *", "1,2 * *"),
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"settings"},
        description="Writes each tenant's statement on the first of the following month.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _statements_run(context, ZoneInfo(settings.nightly_timezone))

    return schedule


def _statements_run(
    context: dg.ScheduleEvaluationContext, timezone: ZoneInfo
) -> dg.RunRequest | dg.SkipReason:
    from assets.costs.cost_report import why_no_report  # noqa: PLC0415  # the UI loads no stores
    from resources.storage import open_storage  # noqa: PLC0415

    at = context.scheduled_execution_time
    billed = month_before(at.astimezone(timezone).date())
    if month_before(at.astimezone(UTC).date()) != billed:
        return dg.SkipReason(f"{billed} is not over yet in UTC.")
    reason = why_no_report(open_storage(context.resources.settings))
    if reason:
        return dg.SkipReason(reason)
    return dg.RunRequest(run_key=f"statements-{billed}", tags={STATEMENTS_TAG: billed})


@dg.schedule(
    job=reconcile_job,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Recovers jobs left by a crashed run, every 15 minutes, if attempts are open.",
)
def reconcile_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Skips the run, which costs seconds, after one listing that finds no open attempt."""
    from resources.spending.reservations import Spending  # noqa: PLC0415  # the UI loads no stores
    from resources.storage import open_storage  # noqa: PLC0415

    storage = open_storage(context.resources.settings)
    if next(Spending(storage).open(), None) is None:
        return dg.SkipReason("No attempt is open.")
    return dg.RunRequest(tags={"escriba/reason": "open attempts"})
