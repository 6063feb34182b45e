"""`escriba report --tenant`: the statement of a month, of one tenant or of all."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.billing.report.periods import Compared, month, month_before
from pipelines.settings import Settings
from resources.storage.base import Storage

from .faults import told_plainly
from .house import console, open_house, print_json
from .wished import check_name

if TYPE_CHECKING:
    from resources.report.statement_page import StatementFiles

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
    """Into files here, or into the bucket and to the tenant's addresses."""
    today = datetime.now(UTC).date()
    try:
        periods = month(month_text or month_before(today), today)
    except ValueError as error:
        raise click.UsageError(f"--month: {error}.") from error
    name = tenant if tenant == _ALL else check_name(tenant)
    settings, storage = open_house()
    from assets.cost_report import why_not
    from assets.refreshed_costs import refresh
    from resources.sheets import SheetsError

    reason = why_not(storage) if fresh else ""
    if reason:
        raise click.ClickException(reason)
    with told_plainly(SheetsError):
        if fresh:
            refresh(settings, storage, checks=False)
        if publish:
            _publish(settings, storage, periods, name, as_json=as_json)
        else:
            _write(settings, storage, periods, name, out, as_json=as_json)


def _publish(
    settings: Settings, storage: Storage, periods: Compared, tenant: str, *, as_json: bool
) -> None:
    from assets.statements import deliver_statements

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
        raise click.ClickException("Not all were mailed. " + "; ".join(troubles))


def _write(  # noqa: PLR0913  # as above
    settings: Settings,
    storage: Storage,
    periods: Compared,
    tenant: str,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from assets.statements import statement_files, tenants_with_statements
    from pipelines.billing.statement.sums import house_sums
    from resources.report.statement_sheets import house_sheet
    from resources.report.statements import read_house
    from resources.sheets import save_csv

    house = read_house(settings.costs_database, periods, storage.url)
    month_text = f"{periods.now.first:%Y-%m}"
    is_all = tenant == _ALL
    folder = out if is_all and out else Path(f"escriba-statements-{month_text}" if is_all else ".")
    names = tenants_with_statements(settings, house) if is_all else [tenant]
    written: list[dict[str, object]] = []
    for name in names:
        files = statement_files(settings, storage, house, name)
        place = folder / name / f"{month_text}.html" if is_all else _place(out, name, month_text)
        written.append(_save(files, name, place))
    if is_all:
        folder.mkdir(parents=True, exist_ok=True)
        save_csv(folder / f"{month_text}-house.csv", house_sheet(month_text, house_sums(house)))
    if as_json:
        print_json(written if is_all else written[0])
        return
    for one in written:
        console().print(f"{one['headline']}\n  {one['html']}, and with it CSV and XLSX")


def _place(out: Path | None, tenant: str, month_text: str) -> Path:
    place = out or Path(f"escriba-statement-{tenant}-{month_text}.html")
    if place.suffix != ".html" or place.is_dir():
        raise click.UsageError("--out names the HTML file; CSV and XLSX lie beside it.")
    return place


def _save(files: "StatementFiles", tenant: str, place: Path) -> dict[str, object]:
    place.parent.mkdir(parents=True, exist_ok=True)
    told: dict[str, object] = {"tenant": tenant, "headline": files.headline}
    for ending, body in files.by_suffix().items():
        path = place.with_name(f"{place.stem}{ending}")
        path.write_bytes(body)
        told[ending.strip(".-").replace("-", "_").replace(".", "_")] = str(path)
    return told
