"""The daily cost report: written into the bucket and mailed to its recipients."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from escriba.reports.periods import Compared, last_days
from escriba.settings import Settings
from intake.cost_limits import budget_owners
from intake.refresh_costs import refresh
from resources.storage.base import Storage, StoredObject

if TYPE_CHECKING:
    from escriba.reports.figures import Figures
    from escriba.reports.html.report_page import CostReport
    from resources.mail import MailServer

REPORTS = "reports/"
DAYS = 30
_NEEDED = ("dbt", "altair", "vl_convert")


@dataclass(frozen=True, slots=True)
class Published:
    """The key of the report, its headline, and the addresses that received it."""

    key: str
    headline: str
    mailed_to: tuple[str, ...]


def why_no_report(storage: Storage) -> str:
    """Why no report can be made now; empty if one can."""
    from resources.ledger.tables import ATTEMPTS  # noqa: PLC0415  # the UI process loads no stores

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} is not installed. Run `make setup`."
    if not any(isinstance(found, StoredObject) for found in storage.list(ATTEMPTS)):
        return "The ledger is empty."
    return ""


def publish_report(
    settings: Settings, storage: Storage, name: str, periods: Compared | None = None
) -> Published:
    """Update the cost tables, write the page and its picture, and mail both.

    name: of the objects `reports/<name>.html` and `.png`; existing ones are overwritten.

    Raises:
        CostsBuildError: the marts cannot be built.
        CostsBusyError: another process has the cost tables open.
        MailError: the report is in the bucket but was not mailed to all recipients.
    """
    from escriba.reports.html.report_page import make_report  # noqa: PLC0415

    now = datetime.now(UTC)
    refresh(settings, storage, checks=False)
    figures = report_figures(settings, storage, periods or last_days(DAYS, now.date()))
    report = make_report(figures, now)
    key = f"{REPORTS}{name}.html"
    if report.png:
        storage.write(f"{REPORTS}{name}.png", report.png)
    storage.write(key, report.html.encode())
    return Published(key, report.headline, _mail(settings, report, figures))


def _mail(settings: Settings, report: "CostReport", figures: "Figures") -> tuple[str, ...]:
    """Mail the report; returns its recipients, none if no mail server is set."""
    from escriba.reports.findings import advice  # noqa: PLC0415
    from resources.mail import report_mail, send  # noqa: PLC0415

    to, server = settings.report_recipients, mail_server(settings)
    if not to or server is None:
        return ()
    send(server, report_mail(report, advice(figures), settings.report_mail_from, to))
    return to


def report_figures(settings: Settings, storage: Storage, periods: Compared) -> "Figures":
    """The figures of these periods from the current cost tables, with the owners of budgets.

    Raises:
        SettingsError: TENANTS_FILE is not valid.
        CostsNotBuiltError: there are no marts yet, or they belong to another bucket.
        CostsBusyError: the marts are being built.
    """
    from resources.costs_database.report_figures import read_figures  # noqa: PLC0415

    owners = budget_owners(settings)
    return read_figures(settings.costs_database, periods, storage.url, owners)


def mail_server(settings: Settings) -> "MailServer | None":
    """The mail server of the settings; None if SMTP_HOST is empty."""
    from resources.mail import MailServer  # noqa: PLC0415

    if not settings.smtp_host:
        return None
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
    )
