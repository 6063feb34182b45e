"""The table of `escriba costs`: as many columns as fit the terminal."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .overheads import COLUMNS, Overheads

if TYPE_CHECKING:
    from escriba.reports.sheets import Sheet

Rows = list[dict[str, Any]]
_MIN_NAME_WIDTH = 16  # terminal columns for the name of a recording
_WASTED = "wasted\nUSD"
_RUNPOD, _RUNPOD_USD = "USD on a\nRunPod L4", "usd_on_runpod_l4"
# dropped in this order if the table is too wide
_OPTIONAL = (_RUNPOD, "RTF", "run", "audio", "attempts", _WASTED)


@dataclass(frozen=True, slots=True)
class _Column:
    """A heading, its text for a row, and its text for the total."""

    heading: str
    of_row: Callable[[dict[str, Any]], str]
    of_all: str


def costs_table(rows: Rows, group: str, out: Console) -> Table:
    """Return a table with a line for each row and the total below."""
    columns = _columns(rows)
    unbounded = out.options.update(width=1_000)
    for heading in _OPTIONAL:
        tried = _table(rows, group, columns, _MIN_NAME_WIDTH)
        if out.measure(tried, options=unbounded).maximum <= out.width:
            break
        columns = [one for one in columns if one.heading != heading]
    return _table(rows, group, columns, None)


def sum_lines(rows: Rows, overheads: Overheads) -> str:
    """Return the total with overheads, and a note if the cost tables have another total."""
    found = all_together(rows)
    line = f"Total with boot, idle and invoices: {found:.6f} USD."
    if found == overheads.total_usd:
        return line
    return (
        f"{line}\nThe cost tables have {overheads.total_usd:.6f} USD: they are older than the "
        "ledger (`escriba sql` updates them),\nor prices have changed since."
    )


def all_together(rows: Rows) -> Decimal:
    """Return the cost of all attempts plus overheads, if the cost tables are built."""
    return sum((Decimal(total_of(rows, name)) for name in ("cost_usd", *COLUMNS)), Decimal(0))


def total_of(rows: Rows, column: str) -> Any:  # noqa: ANN401  # int, float or Decimal
    """Return the sum of a column, which may be missing or empty."""
    return sum((row.get(column) or 0 for row in rows), start=0)


def _columns(rows: Rows) -> list[_Column]:
    def number(heading: str, name: str, text: Callable[[Any], str]) -> _Column:
        return _Column(heading, lambda row: text(row[name] or 0), text(total_of(rows, name)))

    is_priced = not any(row[_RUNPOD_USD] is None for row in rows)
    return [
        number("audio", "audio_seconds", clock),
        number("attempts", "attempts", str),
        number("run", "run_seconds", lambda seconds: f"{seconds:.1f} s"),
        _Column("RTF", lambda row: "" if row["rtf"] is None else f"{row['rtf']:.3f}", ""),
        number("USD", "cost_usd", lambda usd: f"{usd:.6f}"),
        number(_WASTED, "wasted_usd", lambda usd: f"{usd:.6f}"),
        *([number(_RUNPOD, _RUNPOD_USD, lambda usd: f"{usd:.4f}")] if is_priced else []),
        *_overheads(rows),
        *_charged(rows),
    ]


def _overheads(rows: Rows) -> list[_Column]:
    """Return columns of overheads, if the cost tables are built; empty columns are omitted."""
    if not any(name in row for row in rows for name in COLUMNS):
        return []
    boot, idle, unexplained, beside = COLUMNS
    headings = {
        "boot +\nidle": (boot, idle),
        "unex-\nplained": (unexplained,),
        "other\ncharges": (beside,),
    }
    return [
        _Column(
            heading,
            lambda row, parts=parts: f"{sum(row[part] for part in parts):.4f}",  # type: ignore[misc]
            f"{sum(total_of(rows, part) for part in parts):.4f}",
        )
        for heading, parts in headings.items()
        if boot in parts or any(row[part] for row in rows for part in parts)
    ]


def _charged(rows: Rows) -> list[_Column]:
    """Return a column of charges, if any tenant has a price or a markup."""
    if not any("charged_usd" in row for row in rows):
        return []
    total = total_of(rows, "charged_usd")
    return [
        _Column(
            "charged",
            lambda row: f"{row['charged_usd']:.2f}" if "charged_usd" in row else "",
            f"{total:.2f}",
        )
    ]


def _table(rows: Rows, group: str, columns: list[_Column], name_width: int | None) -> Table:
    table = new_table("Costs", show_footer=True)
    table.add_column(group, footer="total", overflow="fold", max_width=name_width)
    for one in columns:
        table.add_column(one.heading, justify="right", footer=one.of_all, no_wrap=True)
    for row in rows:
        table.add_row(str(row["name"]) or "(none)", *(one.of_row(row) for one in columns))
    return table


def new_table(title: str, *, show_footer: bool = False) -> Table:
    """Return a table without a frame, so that eight columns fit a terminal of 80."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_footer=show_footer,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def clock(seconds: float) -> str:
    """Return hours, minutes and seconds as 1:02:03; below an hour, 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def costs_sheet(rows: list[dict[str, Any]], group: str) -> "Sheet":
    """Return the rows as a table with all columns, for files."""
    from escriba.reports.sheets import Sheet

    names = list(dict.fromkeys(name for row in rows for name in row if name != "name"))
    cells = [[row["name"], *(row.get(name) for name in names)] for row in rows]
    return Sheet(f"costs by {group}", [group, *names], cells)
