"""`escriba sql`: questions to the ledger and the marts."""

import csv
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console

from pipelines.settings import Settings
from resources.storage.base import Storage

from .cost_table import new_table
from .faults import told_plainly
from .house import console, json_option, open_house, print_json, say_if_synthetic
from .plain import plain, plain_text
from .sheet_files import save_sheets, xlsx_option

if TYPE_CHECKING:
    from resources.sheets import Sheet

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)")


# a question may begin with a comment, and "-- …" looks like an option
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a heading.")
@xlsx_option("Into this workbook, and no table.")
@click.option("--stale", is_flag=True, help="Of what is built already; do not look for new rows.")
@json_option
def command(
    query: str, *, as_csv: bool, xlsx_file: Path | None, stale: bool, as_json: bool
) -> None:
    """Ask the ledger and the cost tables in SQL (DuckDB).

    \b
    attempts             a row for each attempt at a job
    instances            a row for each worker's life: boot, busy and idle seconds
    daily_spend          day, tenant, backend, model and category (run, boot, idle, …)
    cost_per_recording   all attempts at a recording together
    backend_performance  how fast and how reliable each backend was, by day
    waste, idle          money that made no transcript, by kind; by tenant
    worker_time          what workers did with the time that was paid, by day
    recording_tags       cost center and project of each recording that has one
    spend_by_tag         daily_spend by cost center and project
    tenant_months        what each tenant cost in each month, and for an hour of audio
    commitments          what is paid in advance, spread over its days
    budget_burn          spent against the limits, with a forecast
    reconciliation       the providers' bills, and what explains them
    anomalies, break_even, unit_economics, focus_charges
    ledger.invoices      lines of the providers' bills

    Twenty questions and their SQL stand in docs/costs.md. For instance: SELECT tenant,
    sum(cost_usd) FROM daily_spend GROUP BY 1
    """  # noqa: D301  # click's mark for lines that are not to be wrapped
    from resources.costs.asking import open_for_questions

    settings, storage = open_house()
    say_if_synthetic(storage)
    with told_plainly():
        if not stale:
            _refresh(settings, storage)
        _say_notes(settings, storage, stale=stale)
        with open_for_questions(settings.costs_database, storage.url) as costs:
            answer = _ask(costs, query)
    if xlsx_file is not None:
        save_sheets([_sheet(answer)], None, xlsx_file)
        click.echo(f"{len(answer.rows):,} rows in {xlsx_file}.", err=True)
    elif as_json:
        names = answer.names
        print_json([dict(zip(names, map(plain, row), strict=True)) for row in answer.rows])
    elif as_csv:
        lines = ([plain_text(value) for value in row] for row in answer.rows)
        csv.writer(sys.stdout).writerows([answer.names, *lines])
    else:
        _print_table(console(), answer)


@dataclass(frozen=True, slots=True)
class _Answer:
    """types: DuckDB's names of them, such as DECIMAL(18,9)."""

    names: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


def _sheet(answer: _Answer) -> "Sheet":
    from resources.sheets import Sheet

    return Sheet("answer", answer.names, answer.rows)


def _ask(costs: Any, query: str) -> _Answer:  # noqa: ANN401  # a DuckDB connection
    """Only what the question itself is to blame for is told as its fault."""
    import duckdb

    from resources.costs.standing import is_damage

    try:
        found = costs.execute(query)
        if found is None:
            raise click.UsageError(
                "There is no question in that: SELECT tenant, sum(cost_usd) FROM daily_spend "
                "GROUP BY 1 is one."
            )
        columns = found.description
        return _Answer([c[0] for c in columns], [str(c[1]) for c in columns], found.fetchall())
    except duckdb.OperationalError as error:  # memory, the disk, a lock
        raise click.ClickException(f"The ledger cannot answer that: {error}") from error
    except duckdb.Error as error:
        if is_damage(error):  # told by whoever opened it
            raise
        raise click.UsageError(f"The ledger does not understand that: {error}") from error


def _refresh(settings: Settings, storage: Storage) -> None:
    """The ledger can be asked even where the marts cannot be built; that is said."""
    from assets.refreshed_costs import refresh
    from resources.costs.building import CostsBuildError

    try:
        refresh(settings, storage, checks=False, unless_current=True)
    except CostsBuildError as error:
        click.echo(f"escriba: the cost tables are as they were. {error}", err=True)


def _say_notes(settings: Settings, storage: Storage, *, stale: bool) -> None:
    """A build that failed just now has told so itself."""
    from resources.costs.notes import failed_build, price_notes

    database, bucket = settings.costs_database, storage.url
    told = [failed_build(database, bucket) if stale else "", *price_notes(database, bucket)]
    for line in filter(None, told):
        click.echo(f"escriba: {line}", err=True)


def _print_table(out: Console, answer: _Answer) -> None:
    count = len(answer.rows)
    table = new_table(f"{count:,} row{'' if count == 1 else 's'}")
    for name, kind in zip(answer.names, answer.types, strict=True):
        justify: Literal["right", "left"] = "right" if _NUMBER.fullmatch(kind) else "left"
        table.add_column(name, justify=justify, overflow="fold")
    for row in answer.rows:
        table.add_row(*map(plain_text, row))
    out.print(table)
