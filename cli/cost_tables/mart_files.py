"""`escriba costs --mart`: export cost tables to files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.cli_context import console, print_json
from cli.plain_errors import plain_errors
from escriba.settings import Settings
from resources.storage.base import Storage

_ROWS_PER_FETCH = 10_000
ALL = "all"


def export_marts(
    settings: Settings,
    storage: Storage,
    mart: str,
    files: tuple[Path | None, Path | None],
    *,
    as_json: bool,
) -> None:
    """Update the cost tables from the bucket, export them, and print the files."""
    from intake.refresh_costs import refresh

    refresh(settings, storage, checks=False, unless_current=True)
    saved = save_marts(settings.costs_database, storage.url, mart, *files)
    if as_json:
        print_json({"files": saved})
        return
    for path, count in saved.items():
        console().print(f"{count:,} rows in {path}.")


def save_marts(
    database: Path, bucket: str, mart: str, csv_file: Path | None, xlsx_file: Path | None
) -> dict[str, int]:
    """Write one cost table or all of them; return the number of rows by file name.

    csv_file: with 'all', a folder that gets one file for each table.
    """
    import duckdb

    from escriba.reports.sheets import SheetsError, save_csv, save_xlsx
    from resources.costs_database.read_only import read_only

    saved: dict[str, int] = {}
    with plain_errors(SheetsError), read_only(database, "marts.daily_spend", bucket) as costs:
        names = _names(costs, mart)
        for name, path in _csv_paths(names, mart, csv_file).items():
            saved[str(path)] = save_csv(path, _sheet(costs, name))
        if xlsx_file is not None:
            # each sheet has its own cursor, since all stay open until the workbook is complete
            sheets = [_sheet(costs.cursor(), name) for name in names]
            try:
                saved[str(xlsx_file)] = save_xlsx(xlsx_file, sheets)
            except duckdb.Error as error:
                raise click.ClickException(f"COSTS_DATABASE: {error}") from error
    return saved


def _csv_paths(names: list[str], mart: str, csv_file: Path | None) -> dict[str, Path]:
    """Return the file of each table; create the folder for all of them."""
    if csv_file is None:
        return {}
    if mart != ALL:
        return dict.fromkeys(names, csv_file)
    csv_file.mkdir(parents=True, exist_ok=True)
    return {name: csv_file / f"{name}.csv" for name in names}


def _names(costs: Any, mart: str) -> list[str]:  # noqa: ANN401  # a DuckDB connection
    known = [
        name
        for (name,) in costs.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY 1"
        ).fetchall()
    ]
    if mart == ALL:
        return known
    if mart not in known:
        raise click.UsageError(f"--mart: no cost table {mart!r}. Choose from {', '.join(known)}.")
    return [mart]


def _sheet(costs: Any, name: str) -> Any:  # noqa: ANN401
    from escriba.reports.sheets import Sheet

    found = costs.execute(f"FROM marts.{name} ORDER BY ALL")
    headings = [column[0] for column in found.description]
    return Sheet(name, headings, _rows(found))


def _rows(found: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    while rows := found.fetchmany(_ROWS_PER_FETCH):
        yield from rows
