"""The statement as a page: HTML that asks nobody for anything, and prints on A4."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from pipelines.billing.report.comparison import change
from pipelines.billing.report.wording import changed, clock, hours, percent
from pipelines.billing.report.wording import usd as small_usd
from pipelines.billing.statement.figures import Worked
from pipelines.billing.statement.statement import Statement
from pipelines.billing.statement.sums import how_shared
from pipelines.billing.statement.terms import charged_hours
from resources.sheets import csv_text, xlsx_bytes

from .page import environment
from .palette import style
from .statement_sheets import how_charged, lines_sheet, recordings_sheet, sheets_of

MOST_RECORDINGS = 200  # on the page; the files beside it have them all


@dataclass(frozen=True, slots=True)
class StatementFiles:
    """What is written, by the end of its name; headline: for a subject line."""

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
    """The page and the tables.

    Raises:
        SheetsError: what writes workbooks is not installed.
    """
    return StatementFiles(
        headline=headline(statement),
        html=page(statement, made_at),
        csv=csv_text(lines_sheet(statement)),
        recordings_csv=csv_text(recordings_sheet(statement)),
        xlsx=xlsx_bytes(sheets_of(statement)),
    )


def headline(statement: Statement) -> str:
    """One sentence."""
    mark = "SYNTHETIC: " if statement.is_synthetic else ""
    due = statement.charged_usd
    charged = "" if due is None else f", charged {money(due)}"
    return (
        f"{mark}Transcription for {statement.tenant} in {statement.month}: "
        f"{money(statement.usd)}{charged}"
    )


def money(usd: Decimal) -> str:
    """Cents, whatever the sum."""
    return f"{'−' if usd < 0 else ''}US$ {abs(usd):,.2f}"


def page(statement: Statement, made_at: datetime) -> str:
    """HTML."""
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
        small=small_usd,
        clock=clock,
        changed=_changed,
    )


def dearest(worked: tuple[Worked, ...]) -> list[Worked]:
    """As many as a page bears, in the order of the month."""
    kept = sorted(worked, key=lambda one: -one.usd)[:MOST_RECORDINGS]
    return sorted(kept, key=lambda one: (one.first_day, one.path))


def _cards(one: Statement) -> list[tuple[str, str, str]]:
    now, before = one.now, one.before
    found = [
        ("Recordings", f"{now.recordings:,}", f"{before.recordings:,} the month before"),
        (
            "Audio",
            f"{charged_hours(now.audio_seconds):,} h",
            f"{hours(float(before.audio_seconds / 3600))} the month before",
        ),
        ("Cost", money(one.usd), _changed(one.usd, one.before_usd)),
        ("An hour of audio", small_usd(one.usd_per_audio_hour), "with failed work and shares"),
    ]
    if one.terms.month_usd is not None and one.left_usd is not None:
        used = one.usd / one.terms.month_usd if one.terms.month_usd else None
        note = f"{percent(None if used is None else float(used))} of the month's budget"
        found.append(("Left of the budget", money(one.left_usd), note))
    if one.charged_usd is not None:
        found.append(("Charged", money(one.charged_usd), how_charged(one)))
    return found


def _changed(now: Decimal, before: Decimal) -> str:
    ratio = change(now, before)
    return "nothing the month before" if ratio is None else f"{changed(ratio)} against before"


@lru_cache(maxsize=1)
def _template():  # noqa: ANN202  # jinja2's, which is only imported there
    return environment().get_template("statement.html")
