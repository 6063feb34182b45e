"""`escriba report --tenant`: the monthly statement of one tenant or of all."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.cli_context import console, open_context, print_json
from cli.override_options import check_tenant_name
from cli.plain_errors import plain_errors
from escriba.reports.periods import Compared, month, month_before
from escriba.settings import Settings
from resources.storage.base import Storage

if TYPE_CHECKING:
    from escriba.reports.html.statement_page import StatementFiles

_ALL = "all"


def show_statements(  # noqa: PLR0913  # the command's options
    tenant: str,
    month_text: str | None,
    out: Path | None,
    *,
    publish: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Write statements to local files, or publish them in the bucket and by mail."""
    today = datetime.now(UTC).date()
    try:
        periods = month(month_text or month_before(today), today)
    except ValueError as error:
        raise click.UsageError(f"--month: {error}.") from error
    name = tenant if tenant == _ALL else check_tenant_name(tenant)
    settings, storage = open_context()
    from assets.costs.cost_report import why_no_report
    from escriba.reports.sheets import SheetsError
    from intake.refresh_costs import refresh

    reason = why_no_report(storage) if fresh else ""
    if reason:
        raise click.ClickException(reason)
    with plain_errors(SheetsError):
        if fresh:
            refresh(settings, storage, checks=False)
        if publish:
            _publish(settings, storage, periods, name, as_json=as_json)
        else:
            _write(settings, storage, periods, name, out, as_json=as_json)


def _publish(
    settings: Settings, storage: Storage, periods: Compared, tenant: str, *, as_json: bool
) -> None:
    from assets.costs.statements import deliver_statements

    wanted = None if tenant == _ALL else [tenant]
    done = list(deliver_statements(settings, storage, periods, wanted, again=wanted is not None))
    if as_json:
        print_json(
            [
                {"tenant": one.tenant, "key": one.key, "headline": one.headline}
                | {"mailed_to": one.mailed_to, "trouble": one.trouble}
                for one in done
            ]
        )
    else:
        for one in done:
            to = f", mailed to {', '.join(one.mailed_to)}" if one.mailed_to else ""
            console().print(f"{one.headline}\n  {storage.url}/{one.key}.html{to}")
    troubles = [f"{one.tenant}: {one.trouble}" for one in done if one.trouble]
    if troubles:
        raise click.ClickException("Some statements were not mailed. " + "; ".join(troubles))


def _write(  # noqa: PLR0913  # as above
    settings: Settings,
    storage: Storage,
    periods: Compared,
    tenant: str,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from assets.costs.statements import statement_files, tenants_with_statements
    from escriba.reports.html.statement_sheets import month_sheet
    from escriba.reports.sheets import save_csv
    from escriba.reports.statement.sums import month_sums
    from resources.costs_database.statement_figures import read_house

    figures = read_house(settings.costs_database, periods, storage.url)
    month_text = f"{periods.now.first:%Y-%m}"
    is_all = tenant == _ALL
    folder = out if is_all and out else Path(f"escriba-statements-{month_text}" if is_all else ".")
    names = tenants_with_statements(settings, figures) if is_all else [tenant]
    written: list[dict[str, object]] = []
    for name in names:
        files = statement_files(settings, storage, figures, name)
        page = folder / name / f"{month_text}.html" if is_all else _page(out, name, month_text)
        written.append(_save(files, name, page))
    if is_all:
        folder.mkdir(parents=True, exist_ok=True)
        save_csv(folder / f"{month_text}-house.csv", month_sheet(month_text, month_sums(figures)))
    if as_json:
        print_json(written if is_all else written[0])
        return
    for one in written:
        console().print(f"{one['headline']}\n  {one['html']}, with CSV and XLSX")


def _page(out: Path | None, tenant: str, month_text: str) -> Path:
    page = out or Path(f"escriba-statement-{tenant}-{month_text}.html")
    if page.suffix != ".html" or page.is_dir():
        raise click.UsageError(
            "--out must name an .html file; CSV and XLSX are written next to it."
        )
    return page


def _save(files: "StatementFiles", tenant: str, page: Path) -> dict[str, object]:
    page.parent.mkdir(parents=True, exist_ok=True)
    written: dict[str, object] = {"tenant": tenant, "headline": files.headline}
    for suffix, body in files.by_suffix().items():
        path = page.with_name(f"{page.stem}{suffix}")
        path.write_bytes(body)
        written[suffix.strip(".-").replace("-", "_").replace(".", "_")] = str(path)
    return written
