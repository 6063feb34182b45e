"""`escriba report`: one page of costs that opens anywhere, and its picture for mail and chat."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from pipelines.billing.report.periods import Compared, last_days, month
from pipelines.billing.report.wording import usd
from pipelines.settings import Settings
from resources.storage.base import Storage

from .faults import told_plainly
from .house import console, json_option, open_house, print_json
from .sheet_files import csv_option, save_sheets, xlsx_option

_DAYS = 30


@click.command()
@click.option("--month", "month_text", metavar="YYYY-MM", help="A month, as far as it is over.")
@click.option("--days", type=click.IntRange(1, 366), help="Complete days up to yesterday: 30.")
@click.option(
    "--tenant",
    metavar="TENANT",
    help="Its statement of a month instead: page, CSV and XLSX. 'all': everybody's, in a folder.",
)
@click.option(
    "--out",
    type=click.Path(writable=True, path_type=Path),
    help="The HTML file; what belongs to it lies beside it. Default: escriba-costs-<last day>.html."
    " With --tenant all: the folder.",
)
@csv_option("What was spent, by day, tenant, backend and category, into this file too.")
@xlsx_option("All figures of the page into this workbook too.")
@click.option(
    "--publish",
    is_flag=True,
    help="Into the bucket's reports/ and to REPORT_MAIL_TO instead; a statement to its tenant.",
)
@click.option("--no-refresh", is_flag=True, help="Of what the cost tables have, and nothing newer.")
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
    """What was spent, on what, and what would save money: one HTML file that asks nobody.

    Days are UTC. It is held against the period before.
    """
    if publish and (out or no_refresh or csv_file or xlsx_file):
        raise click.UsageError("--publish goes with neither --out, --csv, --xlsx nor --no-refresh.")
    if tenant is not None:
        from .statement import show_statements

        if days or csv_file or xlsx_file:
            raise click.UsageError(
                "--tenant goes with neither --days, --csv nor --xlsx: a statement is of a month, "
                "and has both beside it."
            )
        show_statements(
            tenant, month_text, out, publish=publish, fresh=not no_refresh, as_json=as_json
        )
        return
    periods = _periods(month_text, days, datetime.now(UTC).date())
    settings, storage = open_house()
    if publish:
        _publish(settings, storage, periods, as_json=as_json)
        return
    target = out or Path(f"escriba-costs-{periods.now.last}.html")
    if target.suffix == ".png" or target.is_dir():
        raise click.UsageError("--out names the HTML file; the picture lies beside it as PNG.")
    report, sheets, found = _made(settings, storage, periods, fresh=not no_refresh)
    picture = target.with_suffix(".png")
    try:
        target.write_text(report.html, encoding="utf-8")
        picture.write_bytes(report.png)
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written ({error.strerror}).") from error
    written = save_sheets(sheets[:1], csv_file, None) + save_sheets(sheets, None, xlsx_file)
    if as_json:
        print_json(
            {
                "html": str(target),
                "png": str(picture),
                "tables": [str(path) for path in written],
                "headline": report.headline,
                "advice": [{"title": one.title, "usd": f"{one.saving_usd:f}"} for one in found],
            }
        )
        return
    said = console()
    said.print(report.headline)
    for one in found:
        said.print(f"  would save {usd(one.saving_usd)}: {one.title}")
    said.print(f"\n{target}, and its picture {picture.name}")
    for path in written:
        said.print(str(path))


def _made(settings: Settings, storage: Storage, periods: Compared, *, fresh: bool):  # noqa: ANN202  # what only this command imports
    """The page, its figures as tables, and its advice."""
    from assets.refreshed_costs import refresh
    from pipelines.billing.report.findings import advice
    from resources.report.figure_sheets import figure_sheets
    from resources.report.page import ReportError, make_report
    from resources.report.reading import read_figures

    with told_plainly(ReportError):
        if fresh:
            refresh(settings, storage, checks=False)
        figures = read_figures(settings.costs_database, periods, storage.url)
        return make_report(figures, datetime.now(UTC)), figure_sheets(figures), advice(figures)


def _publish(settings: Settings, storage: Storage, periods: Compared, *, as_json: bool) -> None:
    from assets.cost_report import publish_report, why_not
    from resources.report.mail import MailError
    from resources.report.page import ReportError

    reason = why_not(storage)
    if reason:
        raise click.ClickException(reason)
    with told_plainly(MailError, ReportError):
        done = publish_report(settings, storage, f"{periods.now.last}", periods)
    if as_json:
        print_json({"key": done.key, "headline": done.headline, "mailed_to": done.mailed_to})
        return
    to = f", mailed to {', '.join(done.mailed_to)}" if done.mailed_to else ""
    console().print(f"{done.headline}\n{storage.url}/{done.key}{to}")


def _periods(month_text: str | None, days: int | None, today: date) -> Compared:
    if month_text and days:
        raise click.UsageError("Choose --month or --days.")
    if not month_text:
        return last_days(days or _DAYS, today)
    try:
        return month(month_text, today)
    except ValueError as error:
        raise click.UsageError(f"--month: {error}.") from error
