"""`escriba sql`: query the ledger and the cost tables."""

import csv
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console

from cli.cli_context import console, json_option, open_context, print_json, say, say_if_synthetic
from cli.cost_tables.cost_table import new_table
from cli.cost_tables.sheet_files import save_sheets, xlsx_option
from cli.plain_errors import plain_errors
from cli.plain_json import cell_text, json_value
from cli.renamed_option import RenamedOption
from escriba.settings import Settings
from escriba.text_for.spreadsheet import csv_cell
from resources.storage.base import Storage

if TYPE_CHECKING:
    from escriba.reports.sheets import Sheet

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)")


# a query may begin with a comment, and "-- …" looks like an option
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header.")
@xlsx_option("Write the rows to this workbook instead of a table.")
@click.option(
    "--no-refresh",
    "no_refresh",
    cls=RenamedOption,
    old_names=("--stale",),
    is_flag=True,
    help="Query the cost tables as they are, without loading new rows first.",
)
@json_option
def command(
    query: str, *, as_csv: bool, xlsx_file: Path | None, no_refresh: bool, as_json: bool
) -> None:
    """Run an SQL QUERY (DuckDB) on the ledger and the cost tables.

    \b
    attempts             one row for each attempt of a job
    instances            one row for each worker: boot, busy and idle seconds
    daily_spend          day, tenant, backend, model and category (run, boot, idle, …)
    cost_per_recording   cost of each recording, all attempts included
    backend_performance  speed and reliability of each backend, by day
    waste, idle          money that produced no transcript, by kind; idle time by tenant
    worker_time          what workers did with the paid time, by day
    recording_tags       cost center and project of each tagged recording
    spend_by_tag         daily_spend by cost center and project
    tenant_months        cost of each tenant by month, and per hour of audio
    commitments          committed use, spread over its days
    budget_burn          spending against the limits, with a forecast
    reconciliation       the providers' invoices against measured costs
    anomalies, break_even, unit_economics, focus_charges
    ledger.invoices      lines of the providers' invoices

    docs/costs.md has twenty example queries. For instance: SELECT tenant, sum(cost_usd) FROM
    daily_spend GROUP BY 1
    """  # noqa: D301  # click's mark for lines that it does not wrap
    from resources.costs_database.locked_queries import open_for_queries

    settings, storage = open_context()
    say_if_synthetic(storage)
    with plain_errors():
        if not no_refresh:
            _refresh(settings, storage)
        _print_notes(settings, storage, no_refresh=no_refresh)
        with open_for_queries(settings.costs_database, storage.url) as costs:
            answer = _execute(costs, query)
    if xlsx_file is not None:
        save_sheets([_sheet(answer)], None, xlsx_file)
        say(f"{len(answer.rows):,} rows in {xlsx_file}.")
    else:
        _print(answer, as_csv=as_csv, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The rows of a query. types: DuckDB's type names, such as DECIMAL(18,9)."""

    names: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


def _sheet(answer: _Answer) -> "Sheet":
    from escriba.reports.sheets import Sheet

    return Sheet("answer", answer.names, answer.rows)


def _execute(costs: Any, query: str) -> _Answer:  # noqa: ANN401  # a DuckDB connection
    """Return the answer; report a usage error only if the query itself is wrong."""
    import duckdb

    from resources.costs_database.database_file import is_damage

    try:
        found = costs.execute(query)
        if found is None:
            raise click.UsageError(
                "QUERY contains no statement. Example: SELECT tenant, sum(cost_usd) FROM "
                "daily_spend GROUP BY 1"
            )
        columns = found.description
        return _Answer([c[0] for c in columns], [str(c[1]) for c in columns], found.fetchall())
    except duckdb.OperationalError as error:  # memory, the disk, a lock
        raise click.ClickException(f"The query failed: {error}") from error
    except duckdb.Error as error:
        if is_damage(error):  # reported by the function that opened the database
            raise
        raise click.UsageError(f"QUERY is not valid: {error}") from error


def _refresh(settings: Settings, storage: Storage) -> None:
    """Update the cost tables; if that fails, warn and query the tables as they are."""
    from intake.refresh_costs import refresh
    from resources.costs_database.build_marts import CostsBuildError

    try:
        refresh(settings, storage, checks=False, unless_current=True)
    except CostsBuildError as error:
        say(f"escriba: the cost tables were not updated. {error}")


def _print_notes(settings: Settings, storage: Storage, *, no_refresh: bool) -> None:
    """Print warnings; a build that failed just now has already printed its own."""
    from resources.costs_database.build_notes import failed_build, price_notes

    database, bucket = settings.costs_database, storage.url
    notes = [failed_build(database, bucket) if no_refresh else "", *price_notes(database, bucket)]
    for line in filter(None, notes):
        say(f"escriba: {line}")


def _print(answer: _Answer, *, as_csv: bool, as_json: bool) -> None:
    if as_json:
        names = answer.names
        print_json([dict(zip(names, map(json_value, row), strict=True)) for row in answer.rows])
    elif as_csv:
        rows = ([csv_cell(value) for value in row] for row in (answer.names, *answer.rows))
        csv.writer(sys.stdout).writerows(rows)
    else:
        _print_table(console(), answer)


def _print_table(out: Console, answer: _Answer) -> None:
    count = len(answer.rows)
    table = new_table(f"{count:,} row{'' if count == 1 else 's'}")
    for name, kind in zip(answer.names, answer.types, strict=True):
        justify: Literal["right", "left"] = "right" if _NUMBER.fullmatch(kind) else "left"
        table.add_column(name, justify=justify, overflow="fold")
    for row in answer.rows:
        table.add_row(*map(cell_text, row))
    out.print(table)
