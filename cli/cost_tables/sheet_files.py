"""The options --csv and --xlsx, the same for all commands."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from escriba.reports.sheets import Sheet

_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


def csv_option(help_text: str) -> Callable[[Any], Any]:
    """Return the option --csv FILE."""
    return click.option("--csv", "csv_file", type=_FILE, metavar="FILE", help=help_text)


def xlsx_option(help_text: str) -> Callable[[Any], Any]:
    """Return the option --xlsx FILE."""
    return click.option("--xlsx", "xlsx_file", type=_FILE, metavar="FILE", help=help_text)


def save_sheets(
    sheets: Sequence["Sheet"], csv_file: Path | None, xlsx_file: Path | None
) -> list[Path]:
    """Write the given files and return them: CSV has the first table, the workbook has all.

    Raises:
        click.ClickException: a file cannot be written.
    """
    from escriba.reports.sheets import SheetsError, save_csv, save_xlsx

    written = []
    with plain_errors(SheetsError):
        if csv_file is not None:
            save_csv(csv_file, sheets[0])
            written.append(csv_file)
        if xlsx_file is not None:
            save_xlsx(xlsx_file, sheets)
            written.append(xlsx_file)
    return written
