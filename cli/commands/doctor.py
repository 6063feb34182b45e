"""`escriba doctor`: check the installation and suggest fixes."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.text import Text

from cli.checks.all_checks import run_checks
from cli.checks.finding import Finding
from cli.cli_context import console, json_option, open_context, print_json

if TYPE_CHECKING:
    from intake.diagnosis.findings import DeepFinding

_SIGNS = {"well": ("✓", "green"), "odd": ("!", "yellow"), "broken": ("✗", "red")}
_SHOWN = 5  # recordings of a finding; --json has more


@click.command()
@click.option(
    "--deep",
    is_flag=True,
    help="Also find slow, dear, failed and stuck jobs, cold starts, and a queue without workers.",
)
@click.option(
    "--days", type=click.IntRange(1, 90), default=7, show_default=True, help="Period of --deep."
)
@json_option
def command(*, deep: bool, days: int, as_json: bool) -> None:
    """Check settings, bucket, models, prices, backends and Dagster, and suggest fixes.

    Exit status: 0 if nothing is broken, 1 otherwise. What --deep finds does not change it.
    """
    findings = run_checks()
    broken = any(finding.state == "broken" for finding in findings)
    # without a bucket or valid settings there is nothing to look into
    deeper = _diagnose(days) if deep and not _is_blind(findings) else []
    if as_json:
        checks = [finding.model_dump() for finding in findings]
        found = [one.model_dump() | {"page": one.page} for one in deeper]
        print_json({"checks": checks, "findings": found} if deep else checks)
    else:
        for finding in findings:
            _print(finding)
        if deep:
            _print_deep(deeper, days)
    sys.exit(1 if broken else 0)


def _is_blind(findings: list[Finding]) -> bool:
    return any(one.state == "broken" and one.what in {"settings", "bucket"} for one in findings)


def _diagnose(days: int) -> "list[DeepFinding]":
    from cli.runs.running_now import running_keys
    from intake.diagnosis.diagnose import diagnose

    settings, storage = open_context()
    return diagnose(
        storage, datetime.now(UTC), days=days, running_keys=running_keys(settings) or set()
    )


def _print(finding: Finding) -> None:
    sign, color = _SIGNS[finding.state]
    out = console()
    out.print(Text.assemble((f"{sign} ", color), (f"{finding.what}: ", "bold"), finding.found))
    if finding.advice:
        out.print(Text(f"    {finding.advice}"))


def _print_deep(findings: "list[DeepFinding]", days: int) -> None:
    out = console()
    if not findings:
        out.print(f"✓ jobs: nothing slow, dear, failed or stuck in the last {days} days")
    for one in findings:
        name = one.code.replace("_", " ")
        out.print(Text.assemble(("! ", "yellow"), (f"{name}: ", "bold"), one.found))
        more = one.count - len(one.recordings[:_SHOWN])
        names = ", ".join(one.recordings[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
        for label, text in (
            ("recordings", names),
            ("likely cause", one.cause),
            ("what mends it", one.command),
            ("more", one.page),
        ):
            out.print(Text(f"    {label}: {text}"))
