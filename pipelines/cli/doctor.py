"""`escriba doctor`: what is checked, what was found, and what to do."""

import sys

import click
from rich.text import Text

from .diagnosis import examine
from .findings import Finding
from .house import console, json_option, print_json

_SIGNS = {"well": ("✓", "green"), "odd": ("!", "yellow"), "broken": ("✗", "red")}


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Settings, bucket, models, prices and Dagster's records: each with what to do.

    Exit status: 0 when nothing is broken, 1 otherwise.
    """
    findings = examine()
    if as_json:
        print_json([finding.model_dump() for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    sys.exit(1 if any(finding.state == "broken" for finding in findings) else 0)


def _print(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.state]
    out = console()
    out.print(Text.assemble((f"{sign} ", colour), (f"{finding.what}: ", "bold"), finding.found))
    if finding.advice:
        out.print(Text(f"    {finding.advice}"))
