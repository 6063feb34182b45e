"""`escriba sql`: questions to the ledger and the marts."""

import csv
import sys
from typing import Any

import click
from rich.console import Console

from pipelines.settings import Settings
from resources.storage.base import Storage

from .costs import new_table
from .house import console, json_option, open_house, print_json, say_if_synthetic


@click.command()
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a heading.")
@click.option("--stale", is_flag=True, help="Of what is built already; do not look for new rows.")
@json_option
def command(query: str, *, as_csv: bool, stale: bool, as_json: bool) -> None:
    """Ask the ledger and the cost tables in SQL (DuckDB).

    \b
    attempts             a row for each attempt at a job
    instances            a row for each worker's life: boot, busy and idle seconds
    daily_spend          day, tenant, backend, model and category (run, boot, idle, …)
    cost_per_recording   all attempts at a recording together
    backend_performance  how fast and how reliable each backend was, by day
    waste, idle          money that made no transcript, by kind; by tenant
    budget_burn          spent against the limits, with a forecast
    reconciliation       the providers' bills, and what explains them
    anomalies, break_even, unit_economics, focus_charges
    ledger.invoices      lines of the providers' bills

    Twenty questions and their SQL stand in docs/costs.md. For instance: SELECT tenant,
    sum(cost_usd) FROM daily_spend GROUP BY 1
    """  # noqa: D301  # click's mark for lines that are not to be wrapped
    import duckdb

    from resources.costs.asking import open_for_questions
    from resources.costs.reading import CostsNotBuiltError
    from resources.costs.standing import CostsBusyError

    settings, storage = open_house()
    say_if_synthetic(storage)
    try:
        if not stale:
            _refresh(settings, storage)
        with open_for_questions(settings.costs_database) as costs:
            answer = costs.execute(query)
            names = [column[0] for column in answer.description or ()]
            rows = answer.fetchall()
    except (CostsBusyError, CostsNotBuiltError) as error:
        raise click.ClickException(str(error)) from error
    except duckdb.Error as error:
        raise click.UsageError(f"The ledger does not understand that: {error}") from error
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif as_csv:
        csv.writer(sys.stdout).writerows([names, *rows])
    else:
        _print_table(console(), names, rows)


def _refresh(settings: Settings, storage: Storage) -> None:
    """The ledger can be asked even where the marts cannot be built; that is said."""
    from assets.cost_limits import cost_limits
    from resources.costs.building import CostsBuildError
    from resources.costs.refreshing import refresh_costs

    try:
        refresh_costs(settings, storage, cost_limits(settings), checks=False, unless_current=True)
    except CostsBuildError as error:
        click.echo(f"escriba: the cost tables are as they were. {error}", err=True)


def _print_table(out: Console, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    table = new_table(f"{len(rows):,} rows")
    for i, name in enumerate(names):
        numeric = bool(rows) and not isinstance(rows[0][i], str | bool)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    out.print(table)
