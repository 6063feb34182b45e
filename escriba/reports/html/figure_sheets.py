"""The figures of a report as spreadsheet tables."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from escriba.reports.figures import Figures
from escriba.reports.sheets import Sheet

_IN_PERIOD = ("spend", "speed", "waste")  # the page needs days before the period too


def figure_sheets(figures: Figures) -> list[Sheet]:
    """One sheet for each kind of figure with rows; spend always exists and comes first."""
    names = [field.name for field in dataclasses.fields(figures)]
    sheets = []
    for name in names:
        rows = getattr(figures, name)
        if not isinstance(rows, tuple) or (not rows and name != "spend"):
            continue
        if name in _IN_PERIOD:
            rows = [row for row in rows if row.day in figures.periods.now]
        sheets.append(_sheet(name, rows))
    return sheets


def _sheet(name: str, rows: Sequence[Any]) -> Sheet:
    if not rows:
        return Sheet(
            name, ("day", "tenant", "backend", "category", "usd", "is_by_assumed_rate"), ()
        )
    headings = [field.name for field in dataclasses.fields(rows[0])]
    return Sheet(name, headings, [[_cell(getattr(row, one)) for one in headings] for row in rows])


def _cell(value: Any) -> Any:  # noqa: ANN401  # whatever a figure holds
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
