"""Jobs without config: each writes a request or a page into the bucket."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from assets.recordings.chain import recording_chain
from assets.recordings.interrupts import run_until_interrupted
from escriba.masked_errors import masks_errors
from escriba.reports.periods import month, month_before
from escriba.settings import Settings
from escriba.stages import COST_METRICS, DIGEST_JOB, NIGHT_TAG, NIGHTLY_JOB, RECORDINGS_JOB
from escriba.text_for.plain_lines import log_line
from intake.work_requests import WorkRequest
from resources.storage.base import Storage

recordings_job = dg.define_asset_job(
    RECORDINGS_JOB,
    selection=dg.AssetSelection.assets(recording_chain),
    description="Processes the recordings in its config; up-to-date stages are skipped.",
)
REPORT_TAG = "escriba/report"  # the day
STATEMENTS_TAG = "escriba/statements"  # the month


@dg.op(required_resource_keys={"settings"})
@masks_errors
def request_missing_recordings(context: dg.OpExecutionContext) -> None:
    """Request all new recordings, failed ones that may be retried, and those unknown to Dagster.

    Also requests done recordings with files that the current settings would write differently.
    """
    from intake.inbox import quarantine_new, survey_inbox  # noqa: PLC0415  # the UI process loads no stores
    from intake.night import request_files, request_missing  # noqa: PLC0415
    from intake.outdated_files import outdated_files  # noqa: PLC0415
    from intake.retirement import unreported  # noqa: PLC0415

    settings, storage = _settings_and_storage(context)
    inbox = survey_inbox(storage)
    quarantine_new(storage, inbox.refused)
    known = context.instance.get_materialized_partitions(dg.AssetKey(COST_METRICS))
    unknown = unreported(inbox, known, datetime.now(UTC), settings.partitions_days)
    night = _night(context, settings)
    request = request_missing(storage, night, [*inbox.work, *unknown])
    _log_request(context, request, "No recording is missing.")
    others = [r for r in outdated_files(inbox, settings, storage) if r not in set(unknown)]
    request = request_files(storage, night, others)
    _log_request(context, request, "All files match the current settings.")


@dg.op(required_resource_keys={"settings"})
@masks_errors
def request_failed_recordings(context: dg.OpExecutionContext) -> None:
    """Request all failed recordings again, including permanently failed ones."""
    from intake.night import request_failed  # noqa: PLC0415

    _, storage = _settings_and_storage(context)
    _log_request(context, request_failed(storage), "No recording has failed.")


@dg.op(required_resource_keys={"settings"})
@masks_errors
def write_night_digest(context: dg.OpExecutionContext) -> None:
    """Write one page: done, failed with reasons, oldest unfinished recording, and cost."""
    from intake.night import DIGESTS, announce_digest, write_digest  # noqa: PLC0415

    settings, storage = _settings_and_storage(context)
    digest = write_digest(settings, storage, _night(context, settings))
    announce_digest(settings, storage, digest)
    context.log.info("%s %s", digest.headline, f"{storage.url}/{DIGESTS}{digest.night}.md")


@dg.op(required_resource_keys={"settings"})
@masks_errors
def reconcile_attempts(context: dg.OpExecutionContext) -> None:
    """Close attempts that a crashed run left open, and request their recordings again."""
    from intake.abandoned_jobs import reconcile  # noqa: PLC0415

    settings, storage = _settings_and_storage(context)
    reconciled = run_until_interrupted(reconcile(settings, storage))
    context.log.info("%s", reconciled.headline)
    for trouble in reconciled.troubles:
        context.log.warning("%s", log_line(trouble))


@dg.op(required_resource_keys={"settings"})
@masks_errors
def compact_old_days(context: dg.OpExecutionContext) -> None:
    """Merge the ledger's files of each past day into one."""
    from resources.compaction import compact_ledger  # noqa: PLC0415  # the UI process loads no stores

    _, storage = _settings_and_storage(context)
    done = compact_ledger(storage, datetime.now(UTC))
    context.log.info("%s", log_line(done.headline))
    for trouble in done.troubles:
        context.log.warning("%s", log_line(trouble))


@dg.op(required_resource_keys={"settings"})
@masks_errors
def write_cost_report(context: dg.OpExecutionContext) -> None:
    """Write one page and its picture, on the last 30 complete days."""
    from assets.costs.cost_report import publish_report  # noqa: PLC0415  # the UI process loads no stores

    settings, storage = _settings_and_storage(context)
    _fetch_bills(context, settings, storage)
    done = publish_report(settings, storage, _day_of(context, settings, REPORT_TAG))
    place = settings.files_url.rstrip("/") or storage.url
    context.log.info("%s %s", done.headline, f"{place}/{done.key}")
    if done.mailed_to:
        context.log.info("Mailed to %s.", ", ".join(done.mailed_to))


def _fetch_bills(context: dg.OpExecutionContext, settings: Settings, storage: Storage) -> None:
    """Fetch RunPod's bills if it is set up; the report does not depend on them."""
    from assets.costs.fetch_bills import fetch_last_days  # noqa: PLC0415  # the UI process loads no stores

    fetched, trouble = fetch_last_days(settings, storage, datetime.now(UTC))
    if fetched:
        context.log.info("%s", fetched)
    if trouble:
        context.log.warning("The RunPod bills could not be updated. %s", log_line(trouble))


@dg.op(required_resource_keys={"settings"})
@masks_errors
def deliver_monthly_statements(context: dg.OpExecutionContext) -> None:
    """Write each tenant's statement of the last complete month, and mail it once."""
    from assets.costs.statements import deliver_statements  # noqa: PLC0415
    from intake.refresh_costs import refresh  # noqa: PLC0415  # the UI process loads no stores

    settings, storage = _settings_and_storage(context)
    today = datetime.now(UTC).date()
    periods = month(context.run.tags.get(STATEMENTS_TAG) or month_before(today), today)
    _fetch_bills(context, settings, storage)
    refresh(settings, storage, checks=False)
    delivered = list(deliver_statements(settings, storage, periods))
    for one in delivered:
        to = f", mailed to {', '.join(one.mailed_to)}" if one.mailed_to else ""
        context.log.info("%s %s.html%s", one.headline, f"{storage.url}/{one.key}", to)
    troubles = [f"{one.tenant}: {one.trouble}" for one in delivered if one.trouble]
    if troubles:
        raise dg.Failure(
            "All statements are in the bucket, but some could not be mailed. "
            f"{'; '.join(troubles)}",
            allow_retries=False,
        )


@dg.job(description="Writes each tenant's monthly statement, and mails it to its recipients.")
def statements_job() -> None:
    """One op."""
    deliver_monthly_statements()


@dg.job(description="Writes the cost report into reports/, and mails it to REPORT_MAIL_TO.")
def report_job() -> None:
    """One op."""
    write_cost_report()


@dg.job(description="Compacts the ledger: merges the files of each past day into one.")
def compaction_job() -> None:
    """One op."""
    compact_old_days()


@dg.job(description="Recovers jobs left by a crashed run: collects, closes or cancels them.")
def reconcile_job() -> None:
    """One op."""
    reconcile_attempts()


@dg.job(
    name=NIGHTLY_JOB,
    description="Requests all missing recordings; runs every night, and can be launched anytime.",
)
def nightly_job() -> None:
    """One op; the requests sensor starts the runs."""
    request_missing_recordings()


@dg.job(description="Requests all failed recordings again, in runs of up to BATCH_SIZE.")
def retry_failed_job() -> None:
    """One op; the requests sensor starts the runs."""
    request_failed_recordings()


@dg.job(name=DIGEST_JOB, description="Writes the nightly digest into digests/ and the log.")
def digest_job() -> None:
    """One op."""
    write_night_digest()


def _log_request(context: dg.OpExecutionContext, request: WorkRequest | None, none: str) -> None:
    if request is None:
        context.log.info(none)
    else:
        context.log.info("Requested %d recordings in %s.", len(request.keys), request.key)


def _settings_and_storage(context: dg.OpExecutionContext) -> tuple[Settings, Storage]:
    from resources.storage import open_storage  # noqa: PLC0415

    settings: Settings = context.resources.settings
    return settings, open_storage(settings)


def _day_of(context: dg.OpExecutionContext, settings: Settings, tag: str) -> str:
    """The day in the tag of a scheduled run; today for a manual run."""
    now = datetime.now(UTC).astimezone(ZoneInfo(settings.nightly_timezone))
    return context.run.tags.get(tag) or f"{now:%Y-%m-%d}"


def _night(context: dg.OpExecutionContext, settings: Settings) -> str:
    """The night in the tag of a scheduled run; the current time for a manual run."""
    named = context.run.tags.get(NIGHT_TAG)
    now = datetime.now(UTC).astimezone(ZoneInfo(settings.nightly_timezone))
    return named or f"{now:%Y-%m-%dT%H%M%S}"
