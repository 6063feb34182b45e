"""`escriba cleanup`: delete whatever is past its age."""

import sys
from datetime import UTC, datetime

import click
from rich.text import Text

from cli.cli_context import console, json_option, open_context, print_json, say
from cli.cost_tables.cost_table import new_table
from cli.runs.running_now import running_keys
from escriba.retention import KINDS, Kind
from escriba.settings import Settings
from intake.cleanup.clean import check_clock, clean
from intake.cleanup.freed import Freed
from resources.storage.base import StoredObject


@click.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing; list what would be deleted.")
@json_option
def command(*, dry_run: bool, as_json: bool) -> None:
    """Delete originals, job records, logs and leftovers that are past their age.

    The ages are ORIGINALS_DAYS, JOB_RECORDS_DAYS, METRICS_DAYS and QUARANTINE_DAYS, and those under
    `keep` in tenants.yaml. Transcripts, results and the ledger are never deleted, nor is a
    recording without a transcript or anything that an open job needs. `escriba up` does the same
    every night at CLEANUP_AT.
    """
    settings, storage = open_context()
    now = datetime.now(UTC)
    _check_runs(settings)
    if not dry_run:
        check_clock(storage, now)
    freed = clean(
        settings,
        storage,
        now,
        running=lambda: running_keys(settings),
        is_dry_run=dry_run,
        on_object=_name if dry_run and not as_json else lambda _kind, _found: None,
    )
    if as_json:
        print_json(freed.model_dump())
    else:
        _print(freed)
    sys.exit(1 if freed.troubles else 0)


def _name(kind: Kind, found: StoredObject) -> None:
    say(f"{kind}: {found.key}")


def _print(freed: Freed) -> None:
    out = console()
    table = new_table("Would be deleted" if freed.is_dry_run else "Deleted")
    for column in ("kind", "objects", "MB"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    for kind in KINDS:
        count = freed.freed[kind]
        table.add_row(
            kind.replace("_", " "), f"{count.objects:,}", f"{count.size_bytes / 1e6:,.1f}"
        )
    out.print(table)
    out.print(freed.headline)
    for trouble in freed.troubles:
        out.print(Text(f"✗ {trouble}"))


def _check_runs(settings: Settings) -> None:
    """Say why nothing can be deleted while a backfill is in progress.

    Raises:
        click.ClickException: one is in progress.
    """
    if running_keys(settings) is None:
        raise click.ClickException(
            "A backfill from the UI is in progress and may need any recording. Wait "
            "until it has ended, or cancel it in Dagster's UI."
        )
