"""`escriba costs`: the sums of the ledger."""

from pathlib import Path

import click

from cli.cli_context import console, json_option, open_context, print_json, say, say_if_synthetic
from cli.cost_tables.cost_exports import copy_to_postgres, export_focus_file
from cli.cost_tables.cost_rows import GROUPS, costs_json, read_rows
from cli.cost_tables.cost_table import costs_sheet, costs_table, sum_lines
from cli.cost_tables.ledger_upkeep import tidy_ledger
from cli.cost_tables.mart_files import export_marts
from cli.cost_tables.overheads import limit_lines, limits_json
from cli.cost_tables.sheet_files import save_sheets, xlsx_option
from cli.cost_tables.tag_costs import TAG_GROUPS
from cli.plain_errors import plain_errors
from escriba.settings import Settings
from resources.storage.base import Storage


@click.command()
@click.option(
    "--by",
    "group",
    type=click.Choice([*GROUPS, *TAG_GROUPS]),
    default="recording",
    show_default=True,
    help="What each row sums up.",
)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(writable=True, path_type=Path),
    metavar="FILE",
    help="Write the rows to this file instead of a table; with --mart all, a folder.",
)
@xlsx_option("Write the rows to this workbook instead of a table.")
@click.option(
    "--mart",
    metavar="NAME",
    help="With --csv or --xlsx: export a cost table, such as daily_spend, or 'all' of them.",
)
@click.option("--rebuild", is_flag=True, help="First rebuild the ledger from attempt records.")
@click.option("--compact", is_flag=True, help="First compact old ledger files (also done nightly).")
@click.option(
    "--export-focus",
    "focus",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write all charges to a Parquet file with FOCUS columns; show no table.",
)
@click.option("--mirror", is_flag=True, help="Copy the cost tables to COSTS_POSTGRES_URL.")
@json_option
def command(  # noqa: PLR0913  # one for each option
    *,
    group: str,
    csv_file: Path | None,
    xlsx_file: Path | None,
    mart: str | None,
    rebuild: bool,
    compact: bool,
    focus: Path | None,
    mirror: bool,
    as_json: bool,
) -> None:
    """Show what recordings cost, including failed attempts, boot, idle time and invoices."""
    files = csv_file is not None or xlsx_file is not None
    _check(mirror=mirror, focus=focus is not None, others=rebuild or compact or files)
    if mart is not None and not files:
        raise click.UsageError(
            "--mart requires --csv or --xlsx. To print a table, use `escriba sql`."
        )
    settings, storage = open_context()
    say_if_synthetic(storage)
    with plain_errors():
        if mirror:
            copy_to_postgres(settings, storage, as_json=as_json)
        elif focus is not None:
            export_focus_file(settings, storage, focus, as_json=as_json)
        elif mart is not None:
            export_marts(settings, storage, mart, (csv_file, xlsx_file), as_json=as_json)
        else:
            tidy_ledger(settings, storage, rebuild=rebuild, compact=compact)
            _show(settings, storage, group, (csv_file, xlsx_file), as_json=as_json)


def _check(*, mirror: bool, focus: bool, others: bool) -> None:
    context = click.get_current_context()
    by = context.get_parameter_source("group") is click.core.ParameterSource.COMMANDLINE
    if (mirror or focus) and mirror + focus + others + by > 1:
        raise click.UsageError(
            "--mirror and --export-focus export everything and show no table: use each without "
            "other options."
        )


def _show(
    settings: Settings,
    storage: Storage,
    group: str,
    files: tuple[Path | None, Path | None],
    *,
    as_json: bool,
) -> None:
    rows, overheads = read_rows(settings, storage, group)
    for line in _notes(settings.costs_database, storage.url):
        say(f"escriba: {line}")
    if any(files):
        written = save_sheets([costs_sheet(rows, group)], *files)
        for path in written:
            click.echo(f"{len(rows):,} rows in {path}.", err=as_json)
        if not as_json:
            return
    if as_json:
        limits = {"limits": limits_json(settings, storage)}
        print_json(costs_json(rows, group) | limits)
        return
    out = console()
    out.print(costs_table(rows, group, out))
    if overheads is not None:
        out.print(sum_lines(rows, overheads))
    for line in limit_lines(settings, storage):
        out.print(line)


def _notes(database: Path, bucket: str) -> list[str]:
    """Return warnings about outdated cost tables and about missing or assumed prices."""
    from resources.costs_database.build_notes import failed_build, price_notes

    notes = [failed_build(database, bucket), *price_notes(database, bucket)]
    return [line for line in notes if line]
