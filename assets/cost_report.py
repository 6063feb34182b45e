"""The report of the morning: into the bucket, and to whom it is to be mailed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec

from pipelines.billing.report.periods import Compared, last_days
from pipelines.settings import Settings
from resources.storage.base import Storage, Stored

from .refreshed_costs import refresh

REPORTS = "reports/"
DAYS = 30
_NEEDED = ("dbt", "altair", "vl_convert")


@dataclass(frozen=True, slots=True)
class Published:
    """Where it lies, and who has it."""

    key: str
    headline: str
    mailed_to: tuple[str, ...]


def why_not(storage: Storage) -> str:
    """Why there can be no report now; empty where there can."""
    from resources.ledger_writer import ATTEMPTS  # noqa: PLC0415  # no store while the UI only looks

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} is not installed: `make setup` brings it."
    if not any(isinstance(found, Stored) for found in storage.list(ATTEMPTS)):
        return "Nothing is in the ledger."
    return ""


def publish_report(
    settings: Settings, storage: Storage, name: str, periods: Compared | None = None
) -> Published:
    """Bring the tables up to the ledger, write the page and its picture, and mail both.

    name: of the objects, `reports/<name>.html` and `.png`; done twice, the later ones stand.

    Raises:
        CostsBuildError: the marts cannot be built.
        CostsBusyError: another program has the tables open.
        MailError: it lies in the bucket, and was not mailed to all.
    """
    from pipelines.billing.report.findings import advice  # noqa: PLC0415
    from resources.report.mail import letter, send  # noqa: PLC0415
    from resources.report.page import make_report  # noqa: PLC0415
    from resources.report.reading import read_figures  # noqa: PLC0415

    now = datetime.now(UTC)
    refresh(settings, storage, checks=False)
    figures = read_figures(
        settings.costs_database,
        periods or last_days(DAYS, now.date()),
        storage.url,
    )
    report = make_report(figures, now)
    key = f"{REPORTS}{name}.html"
    if report.png:
        storage.write(f"{REPORTS}{name}.png", report.png)
    storage.write(key, report.html.encode())
    to, server = settings.report_recipients, mail_server(settings)
    if to and server is not None:
        send(server, letter(report, advice(figures), settings.report_mail_from, to))
        return Published(key, report.headline, to)
    return Published(key, report.headline, ())


def mail_server(settings: Settings):  # noqa: ANN201  # resources.report.mail's, imported here
    """As the settings name it; None where they name none."""
    from resources.report.mail import MailServer  # noqa: PLC0415

    if not settings.smtp_host:
        return None
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
    )
