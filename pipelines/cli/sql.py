"""`escriba sql`: questions to the ledger."""

import csv
import sys
from typing import Any

import click
from rich.console import Console

from resources.ledger import lock_in, open_ledger

from .costs import new_table
from .house import console, json_option, open_house, print_json, say_if_synthetic


@click.command()
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a heading.")
@json_option
def command(query: str, *, as_csv: bool, as_json: bool) -> None:
    """Ask the ledger in SQL (DuckDB). Its table is `attempts`, a row for each attempt.

    For instance: SELECT tenant, sum(cost_usd) FROM attempts GROUP BY 1
    """
    import duckdb

    _, storage = open_house()
    say_if_synthetic(storage)
    with open_ledger(storage) as ledger:
        lock_in(ledger)
        try:
            answer = ledger.execute(query)
            names = [column[0] for column in answer.description or ()]
            rows = answer.fetchall()
        except duckdb.Error as error:
            raise click.UsageError(f"The ledger does not understand that: {error}") from error
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif as_csv:
        csv.writer(sys.stdout).writerows([names, *rows])
    else:
        _print_table(console(), names, rows)


def _print_table(out: Console, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    table = new_table(f"{len(rows):,} rows")
    for i, name in enumerate(names):
        numeric = bool(rows) and not isinstance(rows[0][i], str | bool)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    out.print(table)
