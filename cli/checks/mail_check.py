"""Checks the mail server that sends the report."""

from collections.abc import Iterator

from assets.costs.cost_report import mail_server
from escriba.settings import Settings
from resources.mail import MailError, check_login

from .finding import Finding


def mail(settings: Settings) -> Iterator[Finding]:
    """Check that the server answers and accepts the login; sends nothing.

    Yields nothing if the report has no recipients.
    """
    server = mail_server(settings)
    if server is None:
        return
    what, where = "mail", f"{server.host}:{server.port}"
    try:
        check_login(server)
    except MailError as error:
        advice = (
            "Correct the SMTP settings. Until then reports are not mailed, only written to the "
            "bucket (docs/operations.md)."
        )
        yield Finding(what=what, state="broken", found=str(error), advice=advice)
    else:
        yield Finding(what=what, state="well", found=f"{where} answers")
