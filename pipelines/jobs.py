"""Jobs that nobody has to configure: they write a request, or a page, into the bucket."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from assets.chain import recording_chain
from assets.interrupts import run_until_interrupted
from assets.names import COST_METRICS, RECORDINGS_JOB
from assets.requests import WorkRequest
from pipelines.billing.report.periods import month, month_before
from pipelines.settings import Settings
from resources.storage.base import Storage

recordings_job = dg.define_asset_job(
    RECORDINGS_JOB,
    selection=dg.AssetSelection.assets(recording_chain),
    description="The recordings in its config; what stands is not done again.",
)
NIGHT_TAG = "escriba/night"
REPORT_TAG = "escriba/report"
STATEMENTS_TAG = "escriba/statements"  # the month


@dg.op(required_resource_keys={"settings"})
def ask_for_missing_recordings(context: dg.OpExecutionContext) -> None:
    """Everything new, everything that another try may help, and what Dagster never heard of."""
    from assets.inbox import quarantine_new, survey  # noqa: PLC0415  # no store while the UI looks
    from assets.night import ask_for_missing  # noqa: PLC0415

    settings, storage = _house(context)
    seen = survey(storage)
    quarantine_new(storage, seen.refused)
    known = context.instance.get_materialized_partitions(dg.AssetKey(COST_METRICS))
    unknown = [r for r in seen.done if r.partition_key not in known]
    request = ask_for_missing(storage, _night(context, settings), [*seen.work, *unknown])
    _tell(context, request, "Nothing is missing.")


@dg.op(required_resource_keys={"settings"})
def ask_for_failed_recordings(context: dg.OpExecutionContext) -> None:
    """Everything that failed, for good or not, once more."""
    from assets.night import ask_for_failed  # noqa: PLC0415

    _, storage = _house(context)
    _tell(context, ask_for_failed(storage), "Nothing has failed.")


@dg.op(required_resource_keys={"settings"})
def tell_of_the_night(context: dg.OpExecutionContext) -> None:
    """One page: done, failed with reasons, oldest unfinished, money spent."""
    from assets.night import DIGESTS, write_digest  # noqa: PLC0415

    settings, storage = _house(context)
    digest = write_digest(storage, _night(context, settings))
    context.log.info("%s %s", digest.headline, f"{storage.url}/{DIGESTS}{digest.night}.md")


@dg.op(required_resource_keys={"settings"})
def reconcile_attempts(context: dg.OpExecutionContext) -> None:
    """Attempts nobody looks at are closed, and their recordings taken further."""
    from assets.abandoned import reconcile  # noqa: PLC0415

    settings, storage = _house(context)
    found = run_until_interrupted(reconcile(settings, storage))
    context.log.info("%s", found.headline)
    for trouble in found.troubles:
        context.log.warning("%s", trouble)


@dg.op(required_resource_keys={"settings"})
def put_old_days_together(context: dg.OpExecutionContext) -> None:
    """One file a day of the ledger, of days that nothing is added to any more."""
    from resources.costs.compaction import compact_ledger  # noqa: PLC0415  # no store while the UI looks

    _, storage = _house(context)
    done = compact_ledger(storage, datetime.now(UTC))
    context.log.info("%s", done.headline)
    for trouble in done.troubles:
        context.log.warning("%s", trouble)


@dg.op(required_resource_keys={"settings"})
def tell_of_costs(context: dg.OpExecutionContext) -> None:
    """One page and its picture, of the last 30 complete days."""
    from assets.cost_report import publish_report  # noqa: PLC0415  # no store while the UI looks

    settings, storage = _house(context)
    _ask_for_bills(context, settings, storage)
    done = publish_report(settings, storage, _day_of(context, settings, REPORT_TAG))
    place = settings.files_url.rstrip("/") or storage.url
    context.log.info("%s %s", done.headline, f"{place}/{done.key}")
    if done.mailed_to:
        context.log.info("Mailed to %s.", ", ".join(done.mailed_to))


def _ask_for_bills(context: dg.OpExecutionContext, settings: Settings, storage: Storage) -> None:
    """Those of RunPod, where it is set up; the report is written without them too."""
    from assets.bills import fetch_last_days  # noqa: PLC0415  # no store while the UI looks

    said, trouble = fetch_last_days(settings, storage, datetime.now(UTC))
    if said:
        context.log.info("%s", said)
    if trouble:
        context.log.warning("The bills of RunPod are as they were. %s", trouble)


@dg.op(required_resource_keys={"settings"})
def deliver_statements_of_the_month(context: dg.OpExecutionContext) -> None:
    """Each tenant's statement of the last whole month; who has it already gets no second mail."""
    from assets.refreshed_costs import refresh  # noqa: PLC0415  # no store while the UI looks
    from assets.statements import deliver_statements  # noqa: PLC0415

    settings, storage = _house(context)
    today = datetime.now(UTC).date()
    periods = month(context.run.tags.get(STATEMENTS_TAG) or month_before(today), today)
    _ask_for_bills(context, settings, storage)
    refresh(settings, storage, checks=False)
    done = list(deliver_statements(settings, storage, periods))
    for one in done:
        to = f", mailed to {', '.join(one.mailed_to)}" if one.mailed_to else ""
        context.log.info("%s %s.html%s", one.headline, f"{storage.url}/{one.key}", to)
    troubles = [f"{one.tenant}: {one.trouble}" for one in done if one.trouble]
    if troubles:
        raise dg.Failure(
            f"All statements are in the bucket; not all were mailed. {'; '.join(troubles)}",
            allow_retries=False,
        )


@dg.job(description="Writes each tenant's statement of the month, and mails it where asked.")
def statements_job() -> None:
    """One op."""
    deliver_statements_of_the_month()


@dg.job(description="Writes the report of costs into reports/, and mails it where asked.")
def report_job() -> None:
    """One op."""
    tell_of_costs()


@dg.job(description="Puts old days of the ledger together, a file for each. No config.")
def compaction_job() -> None:
    """One op."""
    put_old_days_together()


@dg.job(description="Attends to jobs whose run died: collects, closes, cancels. No config.")
def reconcile_job() -> None:
    """One op."""
    reconcile_attempts()


@dg.job(description="Asks for whatever is missing; at night, and whenever somebody wants it.")
def nightly_job() -> None:
    """One op; the runs themselves begin when the requests sensor sees the request."""
    ask_for_missing_recordings()


@dg.job(description="Asks for what failed, as explicit keys in runs of BATCH_SIZE. No config.")
def retry_failed_job() -> None:
    """One op; the runs themselves begin when the requests sensor sees the request."""
    ask_for_failed_recordings()


@dg.job(description="Writes the night's digest into digests/ and the log.")
def digest_job() -> None:
    """One op."""
    tell_of_the_night()


def _tell(context: dg.OpExecutionContext, request: WorkRequest | None, nothing: str) -> None:
    if request is None:
        context.log.info(nothing)
    else:
        context.log.info("Asked for %d recordings in %s.", len(request.keys), request.key)


def _house(context: dg.OpExecutionContext) -> tuple[Settings, Storage]:
    from resources.storage import open_storage  # noqa: PLC0415

    settings: Settings = context.resources.settings
    return settings, open_storage(settings)


def _day_of(context: dg.OpExecutionContext, settings: Settings, tag: str) -> str:
    """The day that a schedule means; else today, for a run by hand."""
    here = datetime.now(UTC).astimezone(ZoneInfo(settings.nightly_timezone))
    return context.run.tags.get(tag) or f"{here:%Y-%m-%d}"


def _night(context: dg.OpExecutionContext, settings: Settings) -> str:
    """The night that a schedule or sensor means; else the moment, for a run by hand."""
    named = context.run.tags.get(NIGHT_TAG)
    here = datetime.now(UTC).astimezone(ZoneInfo(settings.nightly_timezone))
    return named or f"{here:%Y-%m-%dT%H%M%S}"
