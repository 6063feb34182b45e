"""Text in a cell of a CSV file, which spreadsheets open."""

import re
import unicodedata
from decimal import Decimal

from .visible import visible

# some spreadsheet takes a cell that starts like this for a formula (OWASP, "CSV Injection")
_FORMULA_STARTS = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[-+]?[0-9.,]*[0-9][0-9.,]*%?")  # computes nothing


def csv_cell(value: object) -> object:
    """Return what a CSV writer puts into a cell: numbers stay numbers, text is no formula.

    An apostrophe precedes a text that a spreadsheet would run. Decimals are in plain digits.
    """
    if isinstance(value, Decimal):
        return f"{value:f}"  # `str` writes 0E-9 for zero
    return csv_text(value) if isinstance(value, str) else value


def csv_text(text: str) -> str:
    """Return the cell of a text."""
    # full-width signs count as their ASCII siblings; blanks before them may be dropped
    start = unicodedata.normalize("NFKC", text.lstrip()[:1])
    line = visible(text)
    is_formula = start in _FORMULA_STARTS and not _NUMBER.fullmatch(line)
    return f"'{line}" if is_formula else line
