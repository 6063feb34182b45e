"""`escriba estimate`: what recordings would cost and take, before anything is spent."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from rich.console import Console
from rich.progress import track
from rich.text import Text

from pipelines.billing.estimates import Estimate
from pipelines.recordings import NameRefusedError, check_tenant
from resources.speeds import recent_speeds

from .cost_table import clock, new_table
from .house import console, json_option, open_house, print_json
from .run import print_failure
from .sizing import Sized, Unsized, look, looks_at_bucket, looks_at_files
from .weighing import Limit, Plan, Setup, open_setup, plan

if TYPE_CHECKING:
    from pipelines.billing.policy import Priority


_NAMED = 20  # of what cannot be priced, for people


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--tenant", help="Whose they are; of the bucket, only this tenant's.")
@click.option(
    "--priority",
    type=click.Choice(["cost", "latency", "quality"]),
    help="Instead of BACKEND_SELECTION_PRIORITY.",
)
@json_option
def command(
    files: tuple[Path, ...], tenant: str | None, priority: str | None, *, as_json: bool
) -> None:
    """Price FILES and folders, or without any what is new in the bucket; nothing is spent.

    Beside what is set up here stands every other line of the price book. Lengths are read from
    the headers. Exit status 1: some files cannot be priced; they are named.
    """
    _check(tenant)
    settings, storage = open_house()
    setup = open_setup(
        settings,
        recent_speeds(storage),
        cast("Priority", priority or settings.backend_selection_priority),
    )
    looks = (
        looks_at_files(files, tenant or "default", settings)
        if files
        else looks_at_bucket(storage, tenant, settings)
    )
    out = console()
    seen = list(
        track(
            look(looks),
            "reading lengths",
            total=len(looks),
            console=out,
            transient=True,
            disable=as_json or not out.is_terminal,
        )
    )
    sized = [one for one in seen if isinstance(one, Sized)]
    unsized = [one for one in seen if isinstance(one, Unsized)]
    made = plan(sized, setup, storage)
    if as_json:
        print_json(_as_json(sized, unsized, made, setup))
    else:
        _print(out, sized, unsized, made, setup)
    sys.exit(1 if unsized else 0)


def _check(tenant: str | None) -> None:
    try:
        check_tenant(tenant or "default")
    except NameRefusedError as error:
        raise click.UsageError(f"--tenant: {error}") from error


def _print(
    out: Console, sized: list[Sized], unsized: list[Unsized], made: Plan, setup: Setup
) -> None:
    out.print(_heading(sized))
    if sized:
        _print_table(out, "On what is set up here", made.here)
        for what, why in made.excluded.items():
            out.print(Text(f"  {what}: {why}"))
        _print_table(out, "For comparison: the other lines of the price book", made.elsewhere)
        for line in _verdict(made, setup):
            out.print(Text(line))
    for one in unsized[:_NAMED]:
        print_failure(out, one.name, one.message, one.advice)
    if len(unsized) > _NAMED:
        out.print(f"… and {len(unsized) - _NAMED:,} more that cannot be priced: --json.")


def _heading(sized: list[Sized]) -> str:
    seconds = sum(one.size.audio_ms for one in sized) / 1000
    many = "recording" if len(sized) == 1 else "recordings"
    text = f"{len(sized):,} {many}, {clock(seconds)} of audio"
    heard = [one for one in sized if one.speech_known]
    if not sized:
        return "Nothing to price."
    if not heard:
        return f"{text}; how much of it is speech, nobody has heard yet."
    speech = sum(one.size.speech_ms for one in heard) / 1000
    if len(heard) == len(sized):
        return f"{text}, {clock(speech)} of it speech."
    return f"{text}; {clock(speech)} of speech in the {len(heard):,} that were heard already."


def _print_table(out: Console, title: str, rows: list[Estimate]) -> None:
    table = new_table(title)
    table.add_column("backend", overflow="fold")
    for name in ("USD", "an hour\nof audio", "machine\nhours", "done in"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("known from", overflow="fold")
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
        row.basis or "none may go there",
    ]


def _verdict(made: Plan, setup: Setup) -> list[str]:
    """Where the recordings would go now, and which limits that would pass."""
    primary = setup.settings.primary_backend
    by = f"PRIMARY_BACKEND={primary}, then " if primary != "auto" else ""
    lines = [
        f"By {by}{setup.priority}: {one.jobs:,} to {one.backend}/{one.sku} for about "
        f"{one.cost_usd:,.4f} USD, done in {clock(one.wall_seconds)}."
        for one in made.routed
    ]
    if made.nobody:
        lines.append(f"{made.nobody:,} may go nowhere.")
    lines += [_passed(limit) for limit in made.limits if limit.is_passed]
    return lines


def _passed(limit: Limit) -> str:
    left = max(limit.left_usd, Decimal(0))
    if limit.needs_usd > limit.left_usd:
        return (
            f"would pass {limit.name}={limit.limit_usd:f}: {limit.needs_usd:,.4f} USD, of which "
            f"{left:,.4f} are left; what is above it waits."
        )
    return (
        f"would wait for {limit.name}={limit.limit_usd:f}: {left:,.4f} USD are left, and one "
        f"recording may cost up to {limit.most_usd:,.4f}, for which there must be room."
    )


def _as_json(
    sized: list[Sized], unsized: list[Unsized], made: Plan, setup: Setup
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
        "without_backend": made.nobody,
        "excluded": made.excluded,
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
        "would_pass": limit.is_passed,
    }
