"""`escriba retry`: retry failed recordings."""

import sys

import click

from cli.cli_context import console, find_recording, json_option, open_context, print_json
from cli.runs.run_recordings import run_recordings
from intake.inbox import survey_inbox

from .run import print_summary, summary


@click.command()
@click.argument("recordings", nargs=-1)
@json_option
def command(recordings: tuple[str, ...], *, as_json: bool) -> None:
    """Retry all failed recordings, or the given RECORDINGS. Completed stages are skipped."""
    settings, storage = open_context()
    seen = survey_inbox(storage)
    failed = sorted([*seen.failed, *seen.to_retry])
    chosen = [find_recording(name, seen.everyone) for name in recordings] or failed
    out = console()
    seen.refused.clear()
    ran = run_recordings(settings, chosen, out, retry=True, quiet=as_json) if chosen else None
    if as_json:
        print_json(summary(ran, seen))
    elif ran is None:
        out.print("Nothing has failed.")
    else:
        print_summary(out, ran, seen, storage.url)
    sys.exit(ran.exit_status if ran else 0)
