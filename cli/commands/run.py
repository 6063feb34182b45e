"""`escriba run`: transcribe everything new in the bucket, without Dagster's UI."""

import sys
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.text import Text

from assets.recordings.progress import RecordingOutcome
from cli.cli_context import console, find_recording, json_option, open_context, print_json
from cli.exit_status import INTERRUPTED
from cli.runs.outdated_recordings import find_outdated, report_outdated, report_outdated_files
from cli.runs.run_recordings import RunResult, not_in_dagster, run_recordings
from cli.runs.stopped_sentence import stopped_sentence
from cli.runs.watch_inbox import arrivals, listen_to_signals
from escriba.model_names import DEMO_MODEL, TOY_NOTICE
from escriba.recording_warnings import RecordingWarning
from escriba.recordings import INBOX, Recording
from escriba.settings import Settings
from escriba.text_for.plain_lines import terminal_line
from intake.ignored_files import left_out_line
from intake.inbox import RefusedObject, Survey, of_tenant, quarantine_new, survey_inbox
from intake.outdated_files import outdated_files
from intake.quarantine import printable
from intake.recording_options import check_tenants
from resources.price_book import open_price_book
from resources.storage.base import Storage


@click.command()
@click.argument("recordings", nargs=-1)
@click.option("--tenant", help="Only this tenant's recordings.")
@click.option(
    "--outdated",
    is_flag=True,
    help="Also redo recordings done with other settings (model, language …); this costs money.",
)
@click.option("--watch", is_flag=True, help="Keep running and process new files, until Ctrl-C.")
@json_option
def command(
    recordings: tuple[str, ...],
    tenant: str | None,
    *,
    outdated: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Run all stages for everything new in the bucket, or for the given RECORDINGS.

    Up-to-date stages are skipped. Recordings that failed permanently wait for `escriba retry` or
    a new upload. If settings of the output files changed (formats, subtitles), the files of done
    recordings are written again on this machine's CPU, without a new transcript.

    For the given RECORDINGS, stages are redone if their output is missing or if the settings
    (such as MODEL) have changed since. --outdated does the same for all recordings, in addition
    to what is new.
    """
    settings, storage = open_context()
    open_price_book(settings)  # nothing may start without prices
    check_tenants(settings)  # nor without the tenants' permissions
    if recordings:
        _check_without_recordings(watch=watch, outdated=outdated)
    seen = survey_inbox(storage)
    seen.refused = quarantine_new(storage, seen.refused)
    others = find_outdated(settings, storage, of_tenant(seen, tenant), all_of_them=outdated)
    named = [find_recording(name, seen.everyone) for name in recordings]
    work = named or [*seen.work, *not_in_dagster(settings, seen)]
    work = [*work, *(others.recordings if outdated else ())]
    work = [recording for recording in dict.fromkeys(work) if tenant in {None, recording.tenant}]
    report_outdated(others, settings, storage, tenant, chosen=outdated, quiet=as_json)
    files = [] if named else _files_only(settings, storage, of_tenant(seen, tenant), work)
    report_outdated_files(files, quiet=as_json)
    older = [one.name for one in others.recordings]
    ran = _run(settings, storage, seen, work, tenant, as_json=as_json, outdated=older, files=files)
    if watch:
        ran = _watch(settings, storage, tenant, as_json=as_json) or ran
    sys.exit(exit_status(ran, seen))


def _files_only(
    settings: Settings, storage: Storage, seen: Survey, work: Sequence[Recording]
) -> list[Recording]:
    """Return recordings that need only their output files written again."""
    taken = set(work)
    return [one for one in outdated_files(seen, settings, storage) if one not in taken]


def _watch(
    settings: Settings, storage: Storage, tenant: str | None, *, as_json: bool
) -> RunResult | None:
    """Run recordings as they arrive; return the last run."""
    ran, done = None, 0
    listen_to_signals()
    try:
        for found in arrivals(storage):
            arrived = [one.recording for one in found if tenant in {None, one.recording.tenant}]
            ran = _run(settings, storage, Survey(new=arrived), arrived, tenant, as_json=as_json)
            done += len([one for one in ran.outcomes if one.failed is None]) if ran else 0
            if ran is not None and ran.broken_by:
                break
    except KeyboardInterrupt:
        click.echo(f"Stopped watching; {done:,} recordings done since it began.", err=True)
        sys.exit(INTERRUPTED)
    return ran


def _check_without_recordings(*, watch: bool, outdated: bool) -> None:
    if watch:
        raise click.UsageError("--watch processes all new files: do not name recordings with it.")
    if outdated:
        raise click.UsageError(
            "--outdated finds the recordings itself: do not name recordings with it."
        )


def _run(  # noqa: PLR0913  # what a run needs, and how it is reported
    settings: Settings,
    storage: Storage,
    seen: Survey,
    work: list[Recording],
    tenant: str | None,
    *,
    as_json: bool,
    outdated: Sequence[str] = (),
    files: Sequence[Recording] = (),
) -> RunResult | None:
    out, any_work = console(), work or files
    ran = run_recordings(settings, work, out, quiet=as_json, files_of=files) if any_work else None
    if as_json:
        print_json(summary(ran, seen) | {"outdated": list(outdated)})
    else:
        print_summary(out, ran, of_tenant(seen, tenant), storage.url)
        if work and settings.model == DEMO_MODEL:
            out.print(f"{TOY_NOTICE} Remove MODEL=demo to use a real model.")
    return ran


def exit_status(ran: RunResult | None, seen: Survey) -> int:
    """Return the run's exit status; a newly refused file name counts as a failure."""
    status = ran.exit_status if ran else 0
    return max(status, 1) if seen.refused else status


def summary(ran: RunResult | None, seen: Survey) -> dict[str, object]:
    """Return the result of a run for --json."""
    outcomes, files = (ran.outcomes, ran.written_again) if ran else ([], [])
    all_of_them = [*outcomes, *files]
    failed = [failure(o) for o in all_of_them if o.failed is not None and not o.is_deferred]
    return {
        "done": [o.recording.name for o in outcomes if o.failed is None],
        "files_written_again": [o.recording.name for o in files if o.failed is None],
        "failed": failed,
        "deferred": [failure(o) for o in outcomes if o.is_deferred],
        "warnings": [
            {"recording": o.recording.name} | warning.model_dump()
            for o in outcomes
            for warning in o.warnings
        ],
        "broken_by": ran.broken_by if ran else "",
        "refused": [refused_json(one) for one in seen.refused],
        "left_out": seen.left_out,
        "waiting_for_retry": [r.name for r in seen.failed],
    }


def failure(outcome: RecordingOutcome) -> dict[str, object]:
    """Return a failed recording for --json."""
    failed = outcome.failed
    named: dict[str, object] = {"recording": outcome.recording.name}
    if failed is not None:
        named |= {"stage": failed.stage, "code": failed.code, "permanent": failed.permanent}
        named |= {"message": failed.message, "advice": failed.advice}
    return named


def refused_json(refused: RefusedObject) -> dict[str, str]:
    """Return a refused file name for --json."""
    name = printable(refused.key)
    return {"name": name, "message": refused.message, "advice": refused.advice}


def print_summary(out: Console, ran: RunResult | None, seen: Survey, url: str) -> None:
    """Print the result of a run."""
    outcomes, files = (ran.outcomes, ran.written_again) if ran else ([], [])
    if ran and ran.broken_by:
        out.print(Text(stopped_sentence(ran)))
        if ran.is_interrupted:
            return
    elif not outcomes and not seen.refused:
        failed = f" {len(seen.failed):,} failed earlier: see `escriba status`."
        earlier = failed if seen.failed else ""
        out.print(f"Nothing new in {url}; {len(seen.done):,} done.{earlier}")
        _print_files(out, files)
        _print_left_out(out, seen)
        return
    done = [o for o in outcomes if o.failed is None]
    if outcomes:
        out.print(f"{len(done):,} of {len(outcomes):,} recordings done.")
    for outcome in outcomes:
        print_warnings(out, outcome.recording.name, outcome.warnings)
    _print_failures(out, outcomes)
    _print_files(out, files)
    for refused in seen.refused:
        print_failure(out, printable(refused.key), refused.message, refused.advice)
    _print_left_out(out, seen)


def _print_files(out: Console, files: list[RecordingOutcome]) -> None:
    """Print what was written again; warnings were printed when the recordings were done."""
    if files:
        done = sum(one.failed is None for one in files)
        out.print(f"Files of {done:,} of {len(files):,} recordings written again.")
        _print_failures(out, files)


def _print_left_out(out: Console, seen: Survey) -> None:
    if seen.left_out:
        out.print(left_out_line([key.removeprefix(INBOX) for key in seen.left_out]))


def _print_failures(out: Console, outcomes: list[RecordingOutcome]) -> None:
    """Print each recording's own failure, and common causes once with the number that wait."""
    waiting: dict[tuple[str, str], int] = {}
    for outcome in outcomes:
        failed = outcome.failed
        if failed is not None and (failed.is_ours or failed.is_deferred):
            cause = (failed.message, failed.advice)
            waiting[cause] = waiting.get(cause, 0) + 1
        elif failed is not None:
            print_failure(out, outcome.recording.name, failed.message, failed.advice)
    for (message, advice), count in waiting.items():
        print_failure(out, f"{count} waiting", message, advice)


def print_failure(out: Console, name: str, message: str, advice: str) -> None:
    """Print two lines: what failed, and what to do."""
    out.print(Text.assemble(("✗ ", "red"), (terminal_line(name), "bold"), ": ", message))
    out.print(Text(f"  {advice}"))


def print_warnings(out: Console, name: str, warnings: Iterable[RecordingWarning]) -> None:
    """Print one line for each warning about a recording that is done."""
    for warning in warnings:
        out.print(
            Text.assemble(("! ", "yellow"), (terminal_line(name), "bold"), ": ", warning.message)
        )


def names(recordings: list[Recording]) -> list[str]:
    """Return the recordings' names, for JSON."""
    return [recording.name for recording in recordings]
