"""`escriba estimate`: cost and duration of recordings, before anything is spent."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from rich.console import Console
from rich.progress import track
from rich.text import Text

from cli.cli_context import console, json_option, open_context, print_json
from cli.cost_tables.cost_table import clock, new_table
from cli.estimates.estimate_plan import EstimatePlan, EstimateSetup, Limit, open_setup, plan
from cli.estimates.excluded_backends import exclusion_text
from cli.estimates.recording_sizes import (
    Measurement,
    SizedRecording,
    UnsizedRecording,
    measure_bucket,
    measure_files,
    run_measurements,
)
from cli.plain_errors import plain_errors
from escriba.billing.estimates import Estimate
from escriba.recordings import NameRefusedError, check_tenant
from resources.ledger.recent_speeds import recent_speeds
from resources.media.media_messages import MediaProcessError
from resources.silero_vad import DetectorMissingError

from .run import print_failure

if TYPE_CHECKING:
    from escriba.billing.permissions import Priority


_MOST_LISTED = 20  # recordings without a price, in the terminal; --json lists all


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--tenant", help="Owner of FILES; without FILES, only this tenant's recordings.")
@click.option(
    "--priority",
    type=click.Choice(["cost", "latency", "quality"]),
    help="Overrides BACKEND_SELECTION_PRIORITY.",
)
@json_option
def command(
    files: tuple[Path, ...], tenant: str | None, priority: str | None, *, as_json: bool
) -> None:
    """Estimate the cost of FILES and folders, or of everything new in the bucket.

    Spends nothing. Shows the configured backends, and every other line of the price book for
    comparison. Reads lengths from the files' headers.

    Exit status: 1 if some files cannot be priced; they are listed.
    """
    _check(tenant)
    settings, storage = open_context()
    setup = open_setup(
        settings,
        recent_speeds(storage),
        cast("Priority", priority or settings.backend_selection_priority),
    )
    measurements = (
        measure_files(files, tenant or "default", settings)
        if files
        else measure_bucket(storage, tenant, settings)
    )
    out = console()
    measured = _measured(measurements, out, quiet=as_json)
    sized = [one for one in measured if isinstance(one, SizedRecording)]
    unsized = [one for one in measured if isinstance(one, UnsizedRecording)]
    made = plan(sized, setup, storage)
    if as_json:
        print_json(_as_json(sized, unsized, made, setup))
    else:
        _print(out, sized, unsized, made, setup)
    sys.exit(1 if unsized else 0)


def _measured(
    measurements: list[Measurement], out: Console, *, quiet: bool
) -> list[SizedRecording | UnsizedRecording]:
    """Run the measurements, with a progress bar in a terminal."""
    with plain_errors(MediaProcessError, DetectorMissingError):
        return list(
            track(
                run_measurements(measurements),
                "reading lengths",
                total=len(measurements),
                console=out,
                transient=True,
                disable=quiet or not out.is_terminal,
            )
        )


def _check(tenant: str | None) -> None:
    try:
        check_tenant(tenant or "default")
    except NameRefusedError as error:
        raise click.UsageError(f"--tenant: {error}") from error


def _print(
    out: Console,
    sized: list[SizedRecording],
    unsized: list[UnsizedRecording],
    made: EstimatePlan,
    setup: EstimateSetup,
) -> None:
    out.print(_heading(sized))
    if sized:
        _print_table(out, "Configured backends", made.here)
        for one in made.excluded:
            out.print(Text(f"  {exclusion_text(one, len(sized))}"))
        _print_table(out, "For comparison: other lines of the price book", made.elsewhere)
        for line in _verdict(made, setup):
            out.print(Text(line))
    for left_out in unsized[:_MOST_LISTED]:
        print_failure(out, left_out.name, left_out.message, left_out.advice)
    if len(unsized) > _MOST_LISTED:
        left = len(unsized) - _MOST_LISTED
        out.print(f"… and {left:,} more that cannot be priced: use --json.")


def _heading(sized: list[SizedRecording]) -> str:
    seconds = sum(one.size.audio_ms for one in sized) / 1000
    many = "recording" if len(sized) == 1 else "recordings"
    text = f"{len(sized):,} {many}, {clock(seconds)} of audio"
    heard = [one for one in sized if one.speech_known]
    if not sized:
        return "Nothing to price."
    if not heard:
        return f"{text}; the share of speech is not known yet."
    speech = sum(one.size.speech_ms for one in heard) / 1000
    if len(heard) == len(sized):
        return f"{text}, {clock(speech)} of it speech."
    return f"{text}; {clock(speech)} of speech in the {len(heard):,} already analyzed."


def _print_table(out: Console, title: str, rows: list[Estimate]) -> None:
    table = new_table(title)
    table.add_column("backend", overflow="fold")
    for name in ("USD", "USD/h\nof audio", "machine\nhours", "done in"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    for row in rows:
        table.add_row(*_cells(row))
    out.print(table)


def _cells(row: Estimate) -> list[str]:
    hourly, machine = row.usd_per_audio_hour, row.machine_seconds
    return [
        f"{row.backend}/{row.sku}",
        f"{row.cost_usd:,.4f}",
        "" if hourly is None else f"{hourly:.4f}",
        "" if machine is None else f"{machine / 3600:,.2f}",
        f"{clock(row.wall_seconds)} by {row.workers}" if row.jobs else "",
        row.basis or "excluded",
    ]


def _verdict(made: EstimatePlan, setup: EstimateSetup) -> list[str]:
    """Return lines on where the recordings would go now, and which limits they would exceed."""
    primary = setup.settings.primary_backend
    by = f"PRIMARY_BACKEND={primary}, then by " if primary != "auto" else "By "
    lines = [
        f"{by}{setup.priority}: {one.jobs:,} to {one.backend}/{one.sku} for about "
        f"{one.cost_usd:,.4f} USD, done in {clock(one.wall_seconds)}."
        for one in made.routed
    ]
    if made.unroutable:
        lines.append(f"No backend can take {made.unroutable:,}.")
    lines += [_exceeded(limit) for limit in made.limits if limit.is_exceeded]
    return lines


def _exceeded(limit: Limit) -> str:
    left = max(limit.left_usd, Decimal(0))
    if limit.needs_usd > limit.left_usd:
        return (
            f"Would exceed {limit.name}={limit.limit_usd:f}: needs {limit.needs_usd:,.4f} USD, and "
            f"{left:,.4f} USD are left. The rest waits."
        )
    return (
        f"Would wait for {limit.name}={limit.limit_usd:f}: {left:,.4f} USD are left, but one "
        f"recording may cost up to {limit.most_usd:,.4f} USD."
    )


def _as_json(
    sized: list[SizedRecording],
    unsized: list[UnsizedRecording],
    made: EstimatePlan,
    setup: EstimateSetup,
) -> dict[str, Any]:
    heard = [one.size.speech_ms / 1000 for one in sized if one.speech_known]
    return {
        "recordings": len(sized),
        "audio_seconds": sum(one.size.audio_ms for one in sized) / 1000,
        "speech_seconds": sum(heard) if sized and len(heard) == len(sized) else None,
        "priority": setup.priority,
        "backends": [_row_json(row) for row in made.here],
        "comparison": [_row_json(row) for row in made.elsewhere],
        "routes": [_row_json(row) for row in made.routed],
        "without_backend": made.unroutable,
        "excluded": [
            {
                "backend": one.backend,
                "sku": one.sku,
                "cause": one.cause,
                "recordings": one.recordings,
                "reasons": list(one.reasons),
            }
            for one in made.excluded
        ],
        "limits": [_limit_json(limit) for limit in made.limits],
        "unreadable": [
            {"name": one.name, "message": one.message, "advice": one.advice} for one in unsized
        ],
    }


def _row_json(row: Estimate) -> dict[str, Any]:
    hourly, machine = row.usd_per_audio_hour, row.machine_seconds
    return {
        "backend": row.backend,
        "sku": row.sku,
        "recordings": row.jobs,
        "cost_usd": f"{row.cost_usd:f}",
        "cost_usd_per_audio_hour": None if hourly is None else f"{hourly:f}",
        "machine_hours": None if machine is None else round(machine / 3600, 6),
        "wall_seconds": round(row.wall_seconds, 3),
        "workers": row.workers,
        "basis": row.basis,
    }


def _limit_json(limit: Limit) -> dict[str, Any]:
    return {
        "limit": limit.name,
        "limit_usd": f"{limit.limit_usd:f}",
        "left_usd": f"{limit.left_usd:f}",
        "needs_usd": f"{limit.needs_usd:f}",
        "most_usd": f"{limit.most_usd:f}",
        "would_pass": limit.is_exceeded,
    }
