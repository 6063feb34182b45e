"""`escriba run`: everything new in the bucket, headless."""

import sys
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.text import Text

from assets.inbox import Refused, Survey, of_tenant, quarantine_new, survey
from assets.options import tenant_wishes
from assets.progress import Outcome
from assets.quarantine import printable
from pipelines.no_recordings import left_out_line
from pipelines.price_book import open_price_book
from pipelines.recordings import INBOX, Recording
from pipelines.settings import Settings
from pipelines.speech.recording_warnings import RecordingWarning
from pipelines.speech_models import DEMO_MODEL, TOY_NOTICE
from resources.storage.base import Storage

from .arrivals import arrivals, listen_to_signals
from .house import console, find_recording, json_option, open_house, print_json
from .redoing import find_outdated, tell_outdated
from .running import Ran, not_in_dagster, run_recordings


@click.command()
@click.argument("recordings", nargs=-1)
@click.option("--tenant", help="Only this tenant's recordings.")
@click.option(
    "--outdated",
    is_flag=True,
    help="Redo what was done with other settings (model, language, diarizer …); this costs money.",
)
@click.option("--watch", is_flag=True, help="Go on, and take what comes, until Ctrl-C.")
@json_option
def command(
    recordings: tuple[str, ...],
    tenant: str | None,
    *,
    outdated: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Take everything new in the bucket through all stages, or the RECORDINGS named.

    What is done is not done again; what failed for good waits for `escriba retry` or for a
    new upload. Recordings that are named are looked at again, whatever is known of them: stages
    whose output was lost, or that other settings (such as another MODEL) would make otherwise,
    are done again, and all others are reused. With --outdated, all that other settings would make
    otherwise is done again, beside what is new.
    """
    settings, storage = open_house()
    open_price_book(settings)  # without prices nothing may start
    tenant_wishes(settings.tenants_file)  # nor without what tenants permit
    if recordings:
        _must_name_them_alone(watch=watch, outdated=outdated)
    seen = survey(storage)
    seen.refused = quarantine_new(storage, seen.refused)
    work = [find_recording(name, seen.everyone) for name in recordings] or seen.work
    work = work if recordings else [*work, *not_in_dagster(settings, seen.done)]
    others = find_outdated(settings, storage, of_tenant(seen, tenant), all_of_them=outdated)
    work = [*work, *(others.recordings if outdated else ())]
    work = [recording for recording in dict.fromkeys(work) if tenant in {None, recording.tenant}]
    tell_outdated(others, settings, storage, tenant, chosen=outdated, quiet=as_json)
    told = [one.name for one in others.recordings]
    ran = _run(settings, storage, seen, work, tenant, as_json=as_json, outdated=told)
    if watch:
        listen_to_signals()
        for found in arrivals(storage):
            came = [one.recording for one in found if tenant in {None, one.recording.tenant}]
            ran = _run(settings, storage, Survey(new=came), came, tenant, as_json=as_json)
            if ran is not None and ran.broken_by:
                break
    sys.exit(exit_status(ran, seen))


def _must_name_them_alone(*, watch: bool, outdated: bool) -> None:
    if watch:
        raise click.UsageError("--watch takes whatever comes: name no recordings beside it.")
    if outdated:
        raise click.UsageError("--outdated finds them itself: name none beside it.")


def _run(  # noqa: PLR0913  # what a run needs, and how it is told
    settings: Settings,
    storage: Storage,
    seen: Survey,
    work: list[Recording],
    tenant: str | None,
    *,
    as_json: bool,
    outdated: Sequence[str] = (),
) -> Ran | None:
    out = console()
    ran = run_recordings(settings, work, out, quiet=as_json) if work else None
    if as_json:
        print_json(summary(ran, seen) | {"outdated": list(outdated)})
    else:
        print_summary(out, ran, of_tenant(seen, tenant), storage.url)
        if ran and settings.model == DEMO_MODEL:
            out.print(f"{TOY_NOTICE} Take MODEL=demo out for a real one.")
    return ran


def exit_status(ran: Ran | None, seen: Survey) -> int:
    """As the run's; a name that is refused for the first time is a failure too."""
    status = ran.exit_status if ran else 0
    return max(status, 1) if seen.refused else status


def summary(ran: Ran | None, seen: Survey) -> dict[str, object]:
    """What a script wants to know of a run."""
    outcomes = ran.progress.outcomes if ran else []
    failed = [failure(o) for o in outcomes if o.failed is not None and not o.is_deferred]
    return {
        "done": [o.recording.name for o in outcomes if o.failed is None],
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


def failure(outcome: Outcome) -> dict[str, object]:
    """One failed recording."""
    failed = outcome.failed
    named: dict[str, object] = {"recording": outcome.recording.name}
    if failed is not None:
        named |= {"stage": failed.stage, "code": failed.code, "permanent": failed.permanent}
        named |= {"message": failed.message, "advice": failed.advice}
    return named


def refused_json(refused: Refused) -> dict[str, str]:
    """A name that can be no recording's."""
    name = printable(refused.key)
    return {"name": name, "message": refused.message, "advice": refused.advice}


def print_summary(out: Console, ran: Ran | None, seen: Survey, url: str) -> None:
    """What came of it, for people."""
    outcomes = ran.progress.outcomes if ran else []
    if ran and ran.broken_by:
        out.print(Text(f"The run was broken off: {ran.broken_by}"))
        out.print("  What is done is kept; the next `escriba run` carries on.")
    elif not outcomes and not seen.refused:
        waiting = f" {len(seen.failed):,} failed before: `escriba status`." if seen.failed else ""
        out.print(f"Nothing new in {url}; {len(seen.done):,} done.{waiting}")
        _print_left_out(out, seen)
        return
    done = [o for o in outcomes if o.failed is None]
    if outcomes:
        out.print(f"{len(done):,} of {len(outcomes):,} recordings done.")
    for outcome in outcomes:
        print_warnings(out, outcome.recording.name, outcome.warnings)
    _print_failures(out, outcomes)
    for refused in seen.refused:
        print_failure(out, printable(refused.key), refused.message, refused.advice)
    _print_left_out(out, seen)


def _print_left_out(out: Console, seen: Survey) -> None:
    if seen.left_out:
        out.print(left_out_line([key.removeprefix(INBOX) for key in seen.left_out]))


def _print_failures(out: Console, outcomes: list[Outcome]) -> None:
    """Each file's own fault; what is no file's fault once for all that wait because of it."""
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
    """Two lines: what, and what to do."""
    out.print(Text.assemble(("✗ ", "red"), (name, "bold"), ": ", message))
    out.print(Text(f"  {advice}"))


def print_warnings(out: Console, name: str, warnings: Iterable[RecordingWarning]) -> None:
    """A line for each: it is done, and this is odd about it."""
    for warning in warnings:
        out.print(Text.assemble(("! ", "yellow"), (name, "bold"), ": ", warning.message))


def names(recordings: list[Recording]) -> list[str]:
    """For JSON."""
    return [recording.name for recording in recordings]
