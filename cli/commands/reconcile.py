"""`escriba reconcile`: recover jobs left by a crashed run."""

import asyncio
import sys
from dataclasses import asdict

import click
from rich.text import Text

from cli.cli_context import console, json_option, open_context, print_json
from intake.abandoned_jobs import reconcile


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Recover jobs left by a crashed run: collect results, close attempts, cancel unneeded jobs.

    Waits up to five and a half minutes to find out whether a worker is alive. Does not touch jobs
    that are running. `escriba up` does the same every 15 minutes.
    """
    settings, storage = open_context()
    out = console()
    if not as_json:
        out.print("Checking open jobs …")
    found = asyncio.run(reconcile(settings, storage))
    if as_json:
        print_json(asdict(found) | {"to_be_run": found.recordings})
    else:
        out.print(found.headline)
        for trouble in found.troubles:
            out.print(Text(f"✗ {trouble}"))
        if found.recordings:
            count = len(found.recordings)
            out.print(f"`escriba run` continues {count:,} recording{'s' * (count != 1)}.")
    sys.exit(1 if found.troubles else 0)
