"""Mail: the cost report with its headline, chart and savings, and statements of tenants."""

import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid

from pydantic import SecretStr

from escriba.errors import EscribaError
from escriba.reports.advice import Advice
from escriba.reports.html.report_page import CostReport
from escriba.reports.wording import usd
from escriba.text_for.plain_lines import mail_subject
from escriba.text_for.visible import visible_lines
from escriba.text_for.web_page import html

_PATIENCE_SECONDS = 30.0


class MailError(EscribaError, RuntimeError):
    """The mail was not sent to all recipients; names the server and them, never the password."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """security: starttls (587), tls (465), or none, which sends no password."""

    host: str
    port: int
    security: str
    user: str
    password: SecretStr


def report_mail(
    report: CostReport, advice: Sequence[Advice], sender: str, to: Sequence[str]
) -> EmailMessage:
    """The report as a mail: plain text, HTML with the chart, and the page as an attachment."""
    message = _addressed(report.headline, sender, to)
    lines = [f"{usd(one.saving_usd)} to be saved: {one.title}" for one in advice]
    message.set_content("\n".join([report.headline, "", *lines, "", "The page is attached.", ""]))
    picture = make_msgid(domain="escriba.invalid")
    shown = "".join(f"<li>{html(line)}</li>" for line in lines)
    message.add_alternative(
        f"<p>{html(report.headline)}</p>"
        f'<p><img src="cid:{picture[1:-1]}" alt="Spend by day and backend" width="900" '
        f'style="max-width:100%"></p><ul>{shown}</ul><p>The page is attached.</p>',
        subtype="html",
    )
    body = message.get_payload()[-1]  # type: ignore[index]  # the alternative of just now
    body.add_related(report.png, "image", "png", cid=picture, filename="costs.png")  # type: ignore[union-attr]
    # as bytes, so that no mail server wraps the lines of the script
    page = report.html.encode()
    message.add_attachment(page, maintype="text", subtype="html", filename="costs.html")
    return message


_KINDS = {
    ".html": ("text", "html"),
    ".csv": ("text", "csv"),
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def statement_mail(
    headline: str, files: Mapping[str, bytes], name: str, sender: str, to: Sequence[str]
) -> EmailMessage:
    """A tenant's statement: the headline and its files. files: contents by file name ending."""
    message = _addressed(headline, sender, to)
    message.set_content(
        f"{visible_lines(headline)}\n\nThe statement and its tables are attached.\n"
    )
    for ending, body in files.items():
        kind, subtype = _KINDS[f".{ending.rpartition('.')[2]}"]
        message.add_attachment(body, maintype=kind, subtype=subtype, filename=f"{name}{ending}")
    return message


def text_mail(headline: str, text: str, sender: str, to: Sequence[str]) -> EmailMessage:
    """A plain text mail without attachments."""
    message = _addressed(headline, sender, to)
    message.set_content(visible_lines(text))
    return message


def _addressed(headline: str, sender: str, to: Sequence[str]) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        mail_subject(headline),
        sender,
        ", ".join(to),
    )
    message["Message-ID"] = make_msgid("escriba", domain=sender.rpartition("@")[2].strip("> "))
    return message


def send(server: MailServer, message: EmailMessage) -> None:
    """Send one mail to all its recipients.

    Raises:
        MailError: the server cannot be reached or refuses; some recipients may have the mail.
    """
    where = f"{server.host}:{server.port}"
    with _session(server) as connection:
        try:
            refused = connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            recipients = ", ".join(sorted(error.recipients))
            raise MailError(
                f"{where} accepts no mail for {recipients}. Correct the addresses."
            ) from error
    if refused:
        raise MailError(
            f"{where} accepts no mail for {', '.join(sorted(refused))}. Correct the addresses; the "
            "other recipients have the mail."
        )


def check_login(server: MailServer) -> None:
    """Check the connection and the login, without sending a mail.

    Raises:
        MailError: the server cannot be reached, or refuses the login.
    """
    with _session(server) as connection:
        connection.noop()


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    where = f"{server.host}:{server.port}"
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password.get_secret_value())
            yield connection
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(
            f"{where} refuses the login. Correct SMTP_USER or SMTP_PASSWORD."
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(
            f"Mail cannot be sent through {where} ({_short(error)}). Check SMTP_HOST, "
            "SMTP_PORT and SMTP_SECURITY."
        ) from error


def _connected(server: MailServer) -> smtplib.SMTP:
    safe = ssl.create_default_context()
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_PATIENCE_SECONDS, context=safe)
    connection = smtplib.SMTP(server.host, server.port, timeout=_PATIENCE_SECONDS)
    if server.security == "starttls":
        try:
            connection.starttls(context=safe)
        except BaseException:
            connection.close()
            raise
    return connection


def _short(error: Exception) -> str:
    """The error's class or code and its first line, without the mail itself."""
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
        return f"{error.smtp_code} {text.splitlines()[0] if text else ''}".strip()
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".strip(": ")
