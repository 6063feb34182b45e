"""What `escriba doctor` finds of the server that mails the report."""

from collections.abc import Iterator

from assets.cost_report import mail_server
from pipelines.settings import Settings
from resources.report.mail import MailError, greet

from .findings import Finding


def mail(settings: Settings) -> Iterator[Finding]:
    """That it answers, and takes the login; nothing is sent. Nothing where nobody gets a report."""
    server = mail_server(settings)
    if server is None:
        return
    what, where = "mail", f"{server.host}:{server.port}"
    try:
        greet(server)
    except MailError as error:
        advice = "Until then the report is in the bucket alone (docs/operations.md)."
        yield Finding(what=what, state="broken", found=str(error), advice=advice)
    else:
        yield Finding(what=what, state="well", found=f"{where} answers")
