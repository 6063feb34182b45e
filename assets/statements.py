"""The statement of each tenant: made of the tables, into the bucket, and to its own addresses."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.billing.report.periods import Compared
from pipelines.billing.statement.figures import HouseMonth, Terms
from pipelines.settings import Settings
from resources.storage.base import Storage

from .cost_report import REPORTS, mail_server
from .tenants import read_tenants

if TYPE_CHECKING:
    from resources.report.statement_page import StatementFiles

STATEMENTS = f"{REPORTS}statements/"
_TOLD = "ledger/told/"  # beside the levels of limits that were told


@dataclass(frozen=True, slots=True)
class Delivered:
    """A tenant's statement: where it lies without its ending, and who has it now.

    trouble: why it was not mailed; empty where it was, or where nobody is to have it.
    """

    tenant: str
    key: str
    headline: str
    mailed_to: tuple[str, ...] = ()
    trouble: str = ""


def tenant_terms(settings: Settings, tenant: str) -> Terms:
    """What tenants.yaml says of a tenant's money.

    Raises:
        SettingsError: the file is wrong.
    """
    # a setting of the bills, whose tables share the costs out; without it nothing is
    rule = str(getattr(settings, "shared_costs_by", "apart"))
    return replace(_terms(settings.tenants_file).get(tenant, Terms()), shared_by=rule)


@lru_cache(maxsize=4)
def _terms(path: Path) -> dict[str, Terms]:
    """Read once: a thousand statements ask for a thousand tenants."""
    return {
        name: Terms(
            mail_to=told.statement_mail_to or (),
            month_usd=told.budget.month_usd if told.budget else None,
            owners=told.budget.owners if told.budget else (),
            charge=told.charge,
        )
        for name, told in read_tenants(path).items()
    }


def tenants_with_statements(settings: Settings, house: HouseMonth) -> list[str]:
    """All that carry something in the month, and those that wish for a statement every month."""
    from resources.report.statements import tenants_of  # noqa: PLC0415  # no DuckDB until asked

    wished = {name for name, one in _terms(settings.tenants_file).items() if one.mail_to}
    return sorted({*tenants_of(house), *wished})


def statement_files(
    settings: Settings, storage: Storage, house: HouseMonth, tenant: str
) -> "StatementFiles":
    """The page and the tables of one tenant, out of the tables of costs as they are."""
    from pipelines.billing.statement.statement import make_statement  # noqa: PLC0415
    from resources.report.statement_page import make_files  # noqa: PLC0415
    from resources.report.statements import read_tenant  # noqa: PLC0415

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
    """Into the bucket, a folder for each tenant, and by mail; one that fails stops no other.

    tenants: None: everybody's, and beside them the house's sheet. again: also to whom it was
    mailed before. Who calls brings the tables up to date first.
    """
    from pipelines.billing.statement.sums import house_sums  # noqa: PLC0415
    from resources.report.statement_sheets import house_sheet  # noqa: PLC0415
    from resources.report.statements import read_house  # noqa: PLC0415
    from resources.sheets import csv_text  # noqa: PLC0415

    house = read_house(settings.costs_database, periods, storage.url)
    month = f"{periods.now.first:%Y-%m}"
    for tenant in tenants_with_statements(settings, house) if tenants is None else tenants:
        yield _deliver(settings, storage, house, tenant, again=again)
    if tenants is None:
        sheet = house_sheet(month, house_sums(house))
        storage.write(f"{REPORTS}{month}-house.csv", csv_text(sheet).encode())


def _deliver(
    settings: Settings, storage: Storage, house: HouseMonth, tenant: str, *, again: bool
) -> Delivered:
    files = statement_files(settings, storage, house, tenant)
    month = f"{house.periods.now.first:%Y-%m}"
    key = f"{STATEMENTS}{tenant}/{month}"
    for ending, body in files.by_suffix().items():
        storage.write(f"{key}{ending}", body)
    told = Delivered(tenant, key, files.headline)
    return _mail(settings, storage, told, files, again=again)


def _mail(
    settings: Settings, storage: Storage, told: Delivered, files: "StatementFiles", *, again: bool
) -> Delivered:
    """To the tenant's addresses, once a month; the record of it is written after it was sent."""
    from resources.report.mail import MailError, send, statement_letter  # noqa: PLC0415

    to = tenant_terms(settings, told.tenant).mail_to
    month = told.key.rpartition("/")[2]
    record = f"{_TOLD}{month}/statement-{told.tenant}.json"
    if not to or (not again and storage.head(record) is not None):
        return told
    server = mail_server(settings)
    if server is None or not settings.report_mail_from:
        why = "it is not mailed: SMTP_HOST and REPORT_MAIL_FROM are needed"
        return replace(told, trouble=why)
    name = f"{told.tenant}-{month}"
    sender = settings.report_mail_from
    try:
        send(server, statement_letter(files.headline, files.by_suffix(), name, sender, to))
    except MailError as error:
        return replace(told, trouble=str(error))
    body = json.dumps({"mailed_to": to, "at": datetime.now(UTC).isoformat()})
    storage.write(record, body.encode())
    return replace(told, mailed_to=to)
