"""The statement as a self-contained HTML page that prints on A4."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from escriba.reports.charts.palette import style
from escriba.reports.comparison import change
from escriba.reports.sheets import csv_text, xlsx_bytes
from escriba.reports.statement.figures import Worked
from escriba.reports.statement.statement import Statement
from escriba.reports.statement.sums import how_shared
from escriba.reports.statement.terms import charged_hours
from escriba.reports.wording import by_assumed_rate, changed, clock, hours, percent
from escriba.reports.wording import usd as small_usd

from .report_page import environment
from .statement_sheets import how_charged, lines_sheet, recordings_sheet, sheets_of

if TYPE_CHECKING:
    import jinja2

MOST_RECORDINGS = 200  # on the page; the accompanying files list all


@dataclass(frozen=True, slots=True)
class StatementFiles:
    """The files of a statement; headline: for a subject line."""

    headline: str
    html: str
    csv: str
    recordings_csv: str
    xlsx: bytes

    def by_suffix(self) -> dict[str, bytes]:
        """.html, .csv, -recordings.csv and .xlsx."""
        return {
            ".html": self.html.encode(),
            ".csv": self.csv.encode(),
            "-recordings.csv": self.recordings_csv.encode(),
            ".xlsx": self.xlsx,
        }


def make_files(statement: Statement, made_at: datetime) -> StatementFiles:
    """The page and the tables of a statement.

    Raises:
        SheetsError: xlsxwriter is not installed.
    """
    return StatementFiles(
        headline=headline(statement),
        html=page(statement, made_at),
        csv=csv_text(lines_sheet(statement)),
        recordings_csv=csv_text(recordings_sheet(statement)),
        xlsx=xlsx_bytes(sheets_of(statement)),
    )


def headline(statement: Statement) -> str:
    """One line that sums up the statement."""
    mark = "SYNTHETIC: " if statement.is_synthetic else ""
    due = statement.charged_usd
    charged = "" if due is None else f", charged {money(due)}"
    rate = ", partly at an assumed exchange rate" if statement.assumed_rates else ""
    return (
        f"{mark}Transcription for {statement.tenant} in {statement.month}: "
        f"{money(statement.usd)}{charged}{rate}"
    )


def money(usd: Decimal) -> str:
    """US dollars with cents, whatever the amount."""
    return f"{'−' if usd < 0 else ''}US$ {abs(usd):,.2f}"


def page(statement: Statement, made_at: datetime) -> str:
    """The statement as HTML."""
    return _template().render(
        title=headline(statement),
        one=statement,
        cards=_cards(statement),
        charged=how_charged(statement),
        shared=how_shared(statement.terms.shared_by),
        shown=dearest(statement.worked),
        made_at=made_at,
        palette=style(),
        money=money,
        by_assumed_rate=by_assumed_rate,
        small=small_usd,
        clock=clock,
        changed=_changed,
    )


def dearest(worked: tuple[Worked, ...]) -> list[Worked]:
    """The most expensive recordings that fit on the page, in order of date."""
    kept = sorted(worked, key=lambda one: -one.usd)[:MOST_RECORDINGS]
    return sorted(kept, key=lambda one: (one.first_day, one.path))


def _cards(one: Statement) -> list[tuple[str, str, str]]:
    now, before = one.now, one.before
    found = [
        ("Recordings", f"{now.recordings:,}", f"{before.recordings:,} in the previous month"),
        (
            "Audio",
            f"{charged_hours(now.audio_seconds):,} h",
            f"{hours(float(before.audio_seconds / 3600))} in the previous month",
        ),
        ("Cost", money(one.usd), _changed(one.usd, one.before_usd)),
        (
            "Per hour of audio",
            small_usd(one.usd_per_audio_hour),
            "with failed work and shared costs",
        ),
    ]
    if one.terms.month_usd is not None and one.left_usd is not None:
        used = one.usd / one.terms.month_usd if one.terms.month_usd else None
        note = f"{percent(None if used is None else float(used))} of the monthly budget used"
        found.append(("Budget left", money(one.left_usd), note))
    if one.charged_usd is not None:
        found.append(("Charged", money(one.charged_usd), how_charged(one)))
    return found


def _changed(now: Decimal, before: Decimal) -> str:
    ratio = change(now, before)
    if ratio is None:
        return "nothing in the previous month"
    return f"{changed(ratio)} from the previous month"


@lru_cache(maxsize=1)
def _template() -> "jinja2.Template":
    return environment().get_template("statement.html")
