"""`escriba reconcile`: what runs that died left behind."""

import asyncio
import sys
from dataclasses import asdict

import click
from rich.text import Text

from assets.abandoned import reconcile

from .house import console, json_option, open_house, print_json


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Attend to jobs whose run died: collect results, close attempts, cancel what nobody wants.

    A worker that may still live is watched for up to five and a half minutes. Jobs that run are
    left alone. `escriba up` does the same four times an hour.
    """
    settings, storage = open_house()
    out = console()
    if not as_json:
        out.print("Looking at what is open …")
    found = asyncio.run(reconcile(settings, storage))
    if as_json:
        print_json(asdict(found) | {"to_be_run": found.recordings})
    else:
        out.print(found.headline)
        for trouble in found.troubles:
            out.print(Text(f"✗ {trouble}"))
        if found.recordings:
            out.print(f"`escriba run` takes {len(found.recordings):,} recordings further.")
    sys.exit(1 if found.troubles else 0)
