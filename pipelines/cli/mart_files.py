"""`escriba costs --mart`: the cost tables as files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pipelines.settings import Settings
from resources.storage.base import Storage

from .faults import told_plainly
from .house import console, print_json

_AT_ONCE = 10_000  # rows
ALL = "all"


def export_marts(
    settings: Settings,
    storage: Storage,
    mart: str,
    files: tuple[Path | None, Path | None],
    *,
    as_json: bool,
) -> None:
    """Of what is in the bucket now."""
    from assets.refreshed_costs import refresh

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
    """A mart, or all of them; the files' names and their rows.

    csv_file: with 'all' a folder, into which goes a file for each.
    """
    import duckdb

    from resources.costs.reading import read_only
    from resources.sheets import SheetsError, save_csv, save_xlsx

    saved: dict[str, int] = {}
    with told_plainly(SheetsError), read_only(database, "marts.daily_spend", bucket) as costs:
        names = _names(costs, mart)
        if csv_file is not None and mart == ALL:
            csv_file.mkdir(parents=True, exist_ok=True)
        for name in names if csv_file is not None else ():
            path = csv_file / f"{name}.csv" if mart == ALL else csv_file
            saved[str(path)] = save_csv(path, _sheet(costs, name))
        if xlsx_file is not None:
            # a cursor each: all are open until the workbook is whole
            sheets = [_sheet(costs.cursor(), name) for name in names]
            try:
                saved[str(xlsx_file)] = save_xlsx(xlsx_file, sheets)
            except duckdb.Error as error:
                raise click.ClickException(f"COSTS_DATABASE: {error}") from error
    return saved


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
        raise click.UsageError(f"--mart: there is no {mart!r}; there are {', '.join(known)}.")
    return [mart]


def _sheet(costs: Any, name: str) -> Any:  # noqa: ANN401
    from resources.sheets import Sheet

    found = costs.execute(f"FROM marts.{name} ORDER BY ALL")
    headings = [column[0] for column in found.description]
    return Sheet(name, headings, _rows(found))


def _rows(found: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    while rows := found.fetchmany(_AT_ONCE):
        yield from rows
