"""Tables as CSV files and Excel workbooks."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from escriba.errors import EscribaError
from escriba.text_for.spreadsheet import csv_cell
from escriba.text_for.visible import visible

MOST_ROWS = 1_048_575  # of a sheet, below its heading
_WIDEST = 60
_SAMPLE_ROWS = 100  # that a column's width is chosen from
_CENTS = -2
_FORMATS = {
    "cents": "#,##0.00",
    "usd": "#,##0.000000000",
    "date": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm:ss",
}


class SheetsError(EscribaError, RuntimeError):
    """A workbook cannot be written; says what to do."""


@dataclass(frozen=True)
class Sheet:
    """A table. rows: one value for each heading; money is Decimal, in cents or exact."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]


def csv_text(sheet: Sheet) -> str:
    """The table as CSV text, with its headings."""
    text = io.StringIO(newline="")
    _write_csv(text, sheet)
    return text.getvalue()


def save_csv(path: Path, sheet: Sheet) -> int:
    """Write the CSV file atomically and return the number of rows.

    Raises:
        OSError: the file cannot be written.
    """
    draft = _draft(path)
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            count = _write_csv(file, sheet)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def xlsx_bytes(sheets: Sequence[Sheet]) -> bytes:
    """An Excel workbook with one sheet for each table.

    Raises:
        SheetsError: xlsxwriter is not installed, or a table is too long for a sheet.
    """
    made = io.BytesIO()
    _write_xlsx(made, sheets)
    return made.getvalue()


def save_xlsx(path: Path, sheets: Sequence[Sheet]) -> int:
    """Write the workbook atomically and return the number of rows.

    Raises:
        SheetsError: as for `xlsx_bytes`.
        OSError: the file cannot be written.
    """
    draft = _draft(path)
    try:
        with draft.open("wb") as file:
            count = _write_xlsx(file, sheets)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.draft")


def _write_csv(file: TextIO, sheet: Sheet) -> int:
    count = 0
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([csv_cell(heading) for heading in sheet.headings])
    for count, row in enumerate(sheet.rows, 1):  # noqa: B007  # returned after the loop
        writer.writerow([csv_cell(value) for value in row])
    return count


def _write_xlsx(file: Any, sheets: Sequence[Sheet]) -> int:  # noqa: ANN401  # a binary file
    if find_spec("xlsxwriter") is None:
        raise SheetsError("xlsxwriter is not installed. Run `make setup`.")
    from xlsxwriter import Workbook  # noqa: PLC0415  # an optional dependency

    with Workbook(file, {"constant_memory": True, "in_memory": False}) as book:
        formats = {name: book.add_format({"num_format": text}) for name, text in _FORMATS.items()}
        bold = book.add_format({"bold": True, "bottom": 1})
        return sum(_write_sheet(book.add_worksheet(one.name), one, formats, bold) for one in sheets)


def _write_sheet(page: Any, sheet: Sheet, formats: dict[str, Any], bold: Any) -> int:  # noqa: ANN401
    rows = iter(sheet.rows)
    first = [row for _, row in zip(range(_SAMPLE_ROWS), rows, strict=False)]
    for column, heading in enumerate(sheet.headings):
        longest = max([len(str(row[column])) for row in first] + [len(heading)])
        page.set_column(column, column, min(_WIDEST, longest + 2))
    page.freeze_panes(1, 0)
    for column, heading in enumerate(sheet.headings):
        page.write_string(0, column, visible(heading), bold)
    count = 0
    for part in (first, rows):
        for row in part:
            count += 1
            if count > MOST_ROWS:
                raise SheetsError(
                    f"{sheet.name} has more than {MOST_ROWS:,} rows, the limit of a sheet. "
                    "Use CSV, or choose fewer days."
                )
            for column, value in enumerate(row):
                _write_cell(page, count, column, value, formats)
    return count


def _write_cell(page: Any, row: int, column: int, value: Any, formats: dict[str, Any]) -> None:  # noqa: ANN401
    """Write one value by its type; text is never taken for a formula."""
    match value:
        case None:
            return
        case float() if not math.isfinite(value):
            page.write_string(row, column, str(value))
        case bool():
            page.write_boolean(row, column, value)
        case Decimal():
            kind = "cents" if value.as_tuple().exponent == _CENTS else "usd"
            page.write_number(row, column, float(value), formats[kind])
        case int() | float():
            page.write(row, column, value)
        case datetime():
            here = value.astimezone(UTC).replace(tzinfo=None)
            page.write_datetime(row, column, here, formats["time"])
        case date():
            page.write_datetime(row, column, value, formats["date"])
        case _:
            page.write_string(row, column, visible(str(value)))
