"""The night: at NIGHTLY_AT everything missing is asked for, and once all of it ran, told of."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from pipelines.billing.report.periods import month_before
from pipelines.settings import NightSettings

from .jobs import (
    NIGHT_TAG,
    REPORT_TAG,
    STATEMENTS_TAG,
    compaction_job,
    nightly_job,
    reconcile_job,
    report_job,
    statements_job,
)


def nightly_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Once a night by the clocks of NIGHTLY_TIMEZONE; after an outage once, not once a night."""

    @dg.schedule(
        name="nightly_schedule",
        job=nightly_job,
        cron_schedule=_daily(settings.nightly_at),
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Everything missing or deferred, once a night.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        night = _date_there(context, settings)
        return dg.RunRequest(run_key=night, tags={NIGHT_TAG: night})

    return schedule


def _daily(at: str) -> str:
    """In cron's words, of a time such as 02:00."""
    hour, minute = at.split(":")
    return f"{int(minute)} {int(hour)} * * *"


def _date_there(context: dg.ScheduleEvaluationContext, settings: NightSettings) -> str:
    """Of the tick, by the clocks of NIGHTLY_TIMEZONE."""
    here = context.scheduled_execution_time.astimezone(ZoneInfo(settings.nightly_timezone))
    return f"{here:%Y-%m-%d}"


def compaction_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """At three by the same clocks; nothing where no old day has more than a file."""

    @dg.schedule(
        name="compaction_schedule",
        job=compaction_job,
        cron_schedule="0 3 * * *",
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"settings"},
        description="Old days of the ledger as one file each.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from resources.costs.compaction import needs_compaction  # noqa: PLC0415  # as below
        from resources.storage import open_storage  # noqa: PLC0415

        if not needs_compaction(open_storage(context.resources.settings), datetime.now(UTC)):
            return dg.SkipReason("Every old day is one file.")
        return dg.RunRequest(tags={"escriba/reason": "old days of the ledger"})

    return schedule


def report_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """Each morning at REPORT_AT by the same clocks; after an outage one, not one a day."""

    @dg.schedule(
        name="report_schedule",
        job=report_job,
        cron_schedule=_daily(settings.report_at),
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"settings"},
        description="What was spent, on what, and what would save money; once a morning.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from assets.cost_report import why_not  # noqa: PLC0415  # as below
        from resources.storage import open_storage  # noqa: PLC0415

        reason = why_not(open_storage(context.resources.settings))
        if reason:
            return dg.SkipReason(reason)
        day = _date_there(context, settings)
        return dg.RunRequest(run_key=f"report-{day}", tags={REPORT_TAG: day})

    return schedule


def statements_schedule(settings: NightSettings) -> dg.ScheduleDefinition:
    """On the first at REPORT_AT by the same clocks; each month once, after an outage too.

    Where the month is not over then (UTC), on the second.
    """

    @dg.schedule(
        name="statements_schedule",
        job=statements_job,
        cron_schedule=_daily(settings.report_at).replace("* * *", "1,2 * *"),
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"settings"},
        description="The statement of each tenant, on the first of the next month.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from assets.cost_report import why_not  # noqa: PLC0415  # as below
        from resources.storage import open_storage  # noqa: PLC0415

        at = context.scheduled_execution_time
        wanted = month_before(at.astimezone(ZoneInfo(settings.nightly_timezone)).date())
        if month_before(at.astimezone(UTC).date()) != wanted:
            return dg.SkipReason(f"{wanted} is not over yet (UTC).")
        reason = why_not(open_storage(context.resources.settings))
        if reason:
            return dg.SkipReason(reason)
        return dg.RunRequest(run_key=f"statements-{wanted}", tags={STATEMENTS_TAG: wanted})

    return schedule


@dg.schedule(
    job=reconcile_job,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    required_resource_keys={"settings"},
    description="Jobs whose run died, four times an hour; nothing where no attempt is open.",
)
def reconcile_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A run costs seconds, a look one listing."""
    from resources.spending import Spending  # noqa: PLC0415  # no store while the UI only looks
    from resources.storage import open_storage  # noqa: PLC0415

    storage = open_storage(context.resources.settings)
    if next(Spending(storage).open(), None) is None:
        return dg.SkipReason("No attempt is open.")
    return dg.RunRequest(tags={"escriba/reason": "open attempts"})
