"""`escriba retry`: what failed, once more."""

import sys

import click

from assets.inbox import survey

from .house import console, find_recording, json_option, open_house, print_json
from .run import print_summary, summary
from .running import run_recordings


@click.command()
@click.argument("recordings", nargs=-1)
@json_option
def command(recordings: tuple[str, ...], *, as_json: bool) -> None:
    """Try again what failed: all of it, or the RECORDINGS named. What is done stays done."""
    settings, storage = open_house()
    seen = survey(storage)
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
