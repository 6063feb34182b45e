"""Each tenant's statement: made from the cost tables, written into the bucket, and mailed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from escriba.reports.periods import Compared
from escriba.reports.statement.figures import MonthCosts, Terms
from escriba.settings import Settings
from intake.tenants import read_tenants
from resources.storage.base import Storage

from .cost_report import REPORTS, mail_server

if TYPE_CHECKING:
    from escriba.reports.html.statement_page import StatementFiles

STATEMENTS = f"{REPORTS}statements/"
_SENT = "ledger/told/"  # also holds the budget levels that were reported


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivered statement: its key without suffix, and the addresses that received it.

    trouble: why it was not mailed; empty if it was, or if the tenant has no recipients.
    """

    tenant: str
    key: str
    headline: str
    mailed_to: tuple[str, ...] = ()
    trouble: str = ""


def tenant_terms(settings: Settings, tenant: str) -> Terms:
    """The recipients, budget and charges of a tenant in tenants.yaml.

    Raises:
        SettingsError: the file is not valid.
    """
    # the setting belongs to the cost tables, which share costs; without it nothing is shared
    rule = str(getattr(settings, "shared_costs_by", "apart"))
    return replace(_terms(settings.tenants_file).get(tenant, Terms()), shared_by=rule)


@lru_cache(maxsize=4)
def _terms(path: Path) -> dict[str, Terms]:
    """Cached, since a thousand statements ask for the terms of a thousand tenants."""
    return {
        name: Terms(
            mail_to=tenant.statement_mail_to or (),
            month_usd=tenant.budget.month_usd if tenant.budget else None,
            owners=tenant.budget.owners if tenant.budget else (),
            charge=tenant.charge,
        )
        for name, tenant in read_tenants(path).items()
    }


def tenants_with_statements(settings: Settings, house: MonthCosts) -> list[str]:
    """The tenants with costs in the month, and those with recipients of a monthly statement."""
    from resources.costs_database.statement_figures import tenants_of  # noqa: PLC0415  # loads DuckDB

    with_recipients = {n for n, terms in _terms(settings.tenants_file).items() if terms.mail_to}
    return sorted({*tenants_of(house), *with_recipients})


def statement_files(
    settings: Settings, storage: Storage, house: MonthCosts, tenant: str
) -> "StatementFiles":
    """The page and the tables of one tenant, from the current cost tables."""
    from escriba.reports.html.statement_page import make_files  # noqa: PLC0415
    from escriba.reports.statement.statement import make_statement  # noqa: PLC0415
    from resources.costs_database.statement_figures import read_tenant  # noqa: PLC0415

    own = read_tenant(settings.costs_database, tenant, house.periods, storage.url)
    statement = make_statement(house, own, tenant_terms(settings, tenant))
    return make_files(statement, datetime.now(UTC))


def deliver_statements(
    settings: Settings,
    storage: Storage,
    periods: Compared,
    tenants: list[str] | None = None,
    *,
    again: bool = False,
) -> Iterator[Delivered]:
    """Write each statement into its tenant's folder and mail it; a failed mail stops no other.

    The caller updates the cost tables first.

    tenants: None: all, with a sheet of the whole installation.
    again: also mail statements that were mailed before.
    """
    from resources.costs_database.statement_figures import read_house  # noqa: PLC0415

    house = read_house(settings.costs_database, periods, storage.url)
    for tenant in tenants_with_statements(settings, house) if tenants is None else tenants:
        yield _deliver(settings, storage, house, tenant, again=again)
    if tenants is None:
        _write_house_sheet(storage, house)


def _write_house_sheet(storage: Storage, house: MonthCosts) -> None:
    """Write the month's sheet of the whole installation."""
    from escriba.reports.html.statement_sheets import month_sheet  # noqa: PLC0415
    from escriba.reports.sheets import csv_text  # noqa: PLC0415
    from escriba.reports.statement.sums import month_sums  # noqa: PLC0415

    month = f"{house.periods.now.first:%Y-%m}"
    sheet = month_sheet(month, month_sums(house))
    storage.write(f"{REPORTS}{month}-house.csv", csv_text(sheet).encode())


def _deliver(
    settings: Settings, storage: Storage, house: MonthCosts, tenant: str, *, again: bool
) -> Delivered:
    files = statement_files(settings, storage, house, tenant)
    month = f"{house.periods.now.first:%Y-%m}"
    key = f"{STATEMENTS}{tenant}/{month}"
    for ending, body in files.by_suffix().items():
        storage.write(f"{key}{ending}", body)
    statement = Delivered(tenant, key, files.headline)
    return _mail(settings, storage, statement, files, again=again)


def _mail(
    settings: Settings, storage: Storage, result: Delivered, files: "StatementFiles", *, again: bool
) -> Delivered:
    """Mail a statement to its recipients, once a month; a record is written after sending."""
    from resources.mail import MailError, send, statement_mail  # noqa: PLC0415

    to, sender = tenant_terms(settings, result.tenant).mail_to, settings.report_mail_from
    month = result.key.rpartition("/")[2]
    record = f"{_SENT}{month}/statement-{result.tenant}.json"
    if not to or (not again and storage.head(record) is not None):
        return result
    server, name = mail_server(settings), f"{result.tenant}-{month}"
    if server is None or not sender:
        trouble = "the statement was not mailed: set SMTP_HOST and REPORT_MAIL_FROM"
        return replace(result, trouble=trouble)
    try:
        send(server, statement_mail(files.headline, files.by_suffix(), name, sender, to))
    except MailError as error:
        return replace(result, trouble=str(error))
    body = json.dumps({"mailed_to": to, "at": datetime.now(UTC).isoformat()})
    storage.write(record, body.encode())
    return replace(result, mailed_to=to)
