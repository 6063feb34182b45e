"""`escriba doctor`: check the installation and suggest fixes."""

import sys

import click
from rich.text import Text

from cli.checks.all_checks import run_checks
from cli.checks.finding import Finding
from cli.cli_context import console, json_option, print_json

_SIGNS = {"well": ("✓", "green"), "odd": ("!", "yellow"), "broken": ("✗", "red")}


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Check settings, bucket, models, prices, backends and Dagster, and suggest fixes.

    Exit status: 0 if nothing is broken, 1 otherwise.
    """
    findings = run_checks()
    if as_json:
        print_json([finding.model_dump() for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    sys.exit(1 if any(finding.state == "broken" for finding in findings) else 0)


def _print(finding: Finding) -> None:
    sign, color = _SIGNS[finding.state]
    out = console()
    out.print(Text.assemble((f"{sign} ", color), (f"{finding.what}: ", "bold"), finding.found))
    if finding.advice:
        out.print(Text(f"    {finding.advice}"))
