"""`escriba report`: a self-contained page of costs, and a picture of it for mail and chat."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.cli_context import console, json_option, open_context, print_json
from cli.cost_tables.sheet_files import csv_option, save_sheets, xlsx_option
from cli.plain_errors import plain_errors
from escriba.reports.periods import Compared, last_days, month
from escriba.reports.wording import usd
from escriba.settings import Settings
from resources.storage.base import Storage

if TYPE_CHECKING:
    from escriba.reports.advice import Advice
    from escriba.reports.html.report_page import CostReport
    from escriba.reports.sheets import Sheet

_DAYS = 30


@click.command()
@click.option(
    "--month", "month_text", metavar="YYYY-MM", help="Report this month, up to yesterday."
)
@click.option(
    "--days", type=click.IntRange(1, 366), help="Report so many days up to yesterday. Default: 30."
)
@click.option(
    "--tenant",
    metavar="TENANT",
    help="Write a tenant's monthly statement (HTML, CSV, XLSX) instead; 'all': every tenant's.",
)
@click.option(
    "--out",
    type=click.Path(writable=True, path_type=Path),
    help="The HTML file; related files go next to it. Default: escriba-costs-<last day>.html."
    " With --tenant all: a folder.",
)
@csv_option("Also write spending by day, tenant, backend and category to this file.")
@xlsx_option("Also write all figures of the report to this workbook.")
@click.option(
    "--publish",
    is_flag=True,
    help="Write to reports/ in the bucket and mail to REPORT_MAIL_TO; statements to tenants.",
)
@click.option("--no-refresh", is_flag=True, help="Use the cost tables as they are.")
@json_option
def command(  # noqa: PLR0913  # click's options by name
    *,
    month_text: str | None,
    days: int | None,
    tenant: str | None,
    out: Path | None,
    csv_file: Path | None,
    xlsx_file: Path | None,
    publish: bool,
    no_refresh: bool,
    as_json: bool,
) -> None:
    """Write a cost report as one self-contained HTML file, with advice on saving money.

    Compares the period with the one before. Days are in UTC.
    """
    has_tables = csv_file is not None or xlsx_file is not None
    if publish and (out or no_refresh or has_tables):
        raise click.UsageError(
            "--publish cannot be combined with --out, --csv, --xlsx or --no-refresh."
        )
    if tenant is not None:
        _check_statement(days, has_tables=has_tables)
        from cli.cost_tables.statement_files import show_statements

        fresh = not no_refresh
        show_statements(tenant, month_text, out, publish=publish, fresh=fresh, as_json=as_json)
        return
    periods = _periods(month_text, days, datetime.now(UTC).date())
    settings, storage = open_context()
    if publish:
        _publish(settings, storage, periods, as_json=as_json)
        return
    page = _page_file(out, periods)
    report, sheets, found = _made(settings, storage, periods, fresh=not no_refresh)
    _save_page(report, page)
    tables = save_sheets(sheets[:1], csv_file, None) + save_sheets(sheets, None, xlsx_file)
    show = _print_json if as_json else _print_text
    show(report, found, page, tables)


def _check_statement(days: int | None, *, has_tables: bool) -> None:
    if days or has_tables:
        raise click.UsageError(
            "--tenant cannot be combined with --days, --csv or --xlsx: a statement covers a month "
            "and always includes CSV and XLSX."
        )


def _page_file(out: Path | None, periods: Compared) -> Path:
    page = out or Path(f"escriba-costs-{periods.now.last}.html")
    if page.suffix == ".png" or page.is_dir():
        raise click.UsageError(
            "--out must name an HTML file; the PNG picture is written next to it."
        )
    return page


def _picture(page: Path) -> Path:
    return page.with_suffix(".png")


def _save_page(report: "CostReport", page: Path) -> None:
    """Write the page, and its picture next to it."""
    try:
        page.write_text(report.html, encoding="utf-8")
        _picture(page).write_bytes(report.png)
    except OSError as error:
        raise click.ClickException(f"Cannot write {page} ({error.strerror}).") from error


def _print_json(
    report: "CostReport", found: "list[Advice]", page: Path, tables: Sequence[Path]
) -> None:
    print_json(
        {
            "html": str(page),
            "png": str(_picture(page)),
            "tables": [str(path) for path in tables],
            "headline": report.headline,
            "advice": [{"title": one.title, "usd": f"{one.saving_usd:f}"} for one in found],
        }
    )


def _print_text(
    report: "CostReport", found: "list[Advice]", page: Path, tables: Sequence[Path]
) -> None:
    out = console()
    out.print(report.headline)
    for one in found:
        out.print(f"  would save {usd(one.saving_usd)}: {one.title}")
    out.print(f"\nWrote {page} and its picture {_picture(page).name}")
    for path in tables:
        out.print(str(path))


def _made(
    settings: Settings, storage: Storage, periods: Compared, *, fresh: bool
) -> "tuple[CostReport, list[Sheet], list[Advice]]":
    """Return the page, its figures as tables, and its advice."""
    from assets.costs.cost_report import report_figures
    from escriba.reports.findings import advice
    from escriba.reports.html.figure_sheets import figure_sheets
    from escriba.reports.html.report_page import ReportError, make_report
    from intake.refresh_costs import refresh

    with plain_errors(ReportError):
        if fresh:
            refresh(settings, storage, checks=False)
        figures = report_figures(settings, storage, periods)
        return make_report(figures, datetime.now(UTC)), figure_sheets(figures), advice(figures)


def _publish(settings: Settings, storage: Storage, periods: Compared, *, as_json: bool) -> None:
    from assets.costs.cost_report import publish_report, why_no_report
    from escriba.reports.html.report_page import ReportError
    from resources.mail import MailError

    reason = why_no_report(storage)
    if reason:
        raise click.ClickException(reason)
    with plain_errors(MailError, ReportError):
        done = publish_report(settings, storage, f"{periods.now.last}", periods)
    if as_json:
        print_json({"key": done.key, "headline": done.headline, "mailed_to": done.mailed_to})
        return
    to = f", mailed to {', '.join(done.mailed_to)}" if done.mailed_to else ""
    console().print(f"{done.headline}\n{storage.url}/{done.key}{to}")


def _periods(month_text: str | None, days: int | None, today: date) -> Compared:
    if month_text and days:
        raise click.UsageError("Use either --month or --days, not both.")
    if not month_text:
        return last_days(days or _DAYS, today)
    try:
        return month(month_text, today)
    except ValueError as error:
        raise click.UsageError(f"--month: {error}.") from error
