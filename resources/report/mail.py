"""The report as a letter: the sentence, the picture, what would save money, the page attached."""

import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from html import escape

from pydantic import SecretStr

from pipelines.billing.report.advice import Advice
from pipelines.billing.report.wording import usd

from .page import Report

_PATIENCE_SECONDS = 30.0


class MailError(RuntimeError):
    """It was not sent, or not to everybody; names the server and whom, never the password."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """security: starttls (587), tls (465), or none, which sends no password."""

    host: str
    port: int
    security: str
    user: str
    password: SecretStr


def letter(
    report: Report, advice: Sequence[Advice], sender: str, to: Sequence[str]
) -> EmailMessage:
    """For people who read text, for those who look at pictures, and for a browser."""
    message = _addressed(report.headline, sender, to)
    lines = [f"{usd(one.saving_usd)} to be saved: {one.title}" for one in advice]
    message.set_content("\n".join([report.headline, "", *lines, "", "The page is attached.", ""]))
    picture = make_msgid(domain="escriba.invalid")
    shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
    message.add_alternative(
        f"<p>{escape(report.headline)}</p>"
        f'<p><img src="cid:{picture[1:-1]}" alt="Spend by day and backend" width="900" '
        f'style="max-width:100%"></p><ul>{shown}</ul><p>The page is attached.</p>',
        subtype="html",
    )
    body = message.get_payload()[-1]  # type: ignore[index]  # the alternative of just now
    body.add_related(report.png, "image", "png", cid=picture, filename="costs.png")  # type: ignore[union-attr]
    # as bytes: a script's lines are not to be broken anew on the way
    page = report.html.encode()
    message.add_attachment(page, maintype="text", subtype="html", filename="costs.html")
    return message


_KINDS = {
    ".html": ("text", "html"),
    ".csv": ("text", "csv"),
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def statement_letter(
    headline: str, files: Mapping[str, bytes], name: str, sender: str, to: Sequence[str]
) -> EmailMessage:
    """A tenant's statement: the sentence, and the files as they are. files: by their endings."""
    message = _addressed(headline, sender, to)
    message.set_content(f"{headline}\n\nThe statement and its tables are attached.\n")
    for ending, body in files.items():
        kind, subtype = _KINDS[f".{ending.rpartition('.')[2]}"]
        message.add_attachment(body, maintype=kind, subtype=subtype, filename=f"{name}{ending}")
    return message


def note(headline: str, text: str, sender: str, to: Sequence[str]) -> EmailMessage:
    """A few lines, and nothing attached."""
    message = _addressed(headline, sender, to)
    message.set_content(text)
    return message


def _addressed(headline: str, sender: str, to: Sequence[str]) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = headline, sender, ", ".join(to)
    message["Message-ID"] = make_msgid("escriba", domain=sender.rpartition("@")[2].strip("> "))
    return message


def send(server: MailServer, message: EmailMessage) -> None:
    """To everybody at once.

    Raises:
        MailError: the server cannot be reached or refuses; some may have it all the same.
    """
    where = f"{server.host}:{server.port}"
    with _session(server) as connection:
        try:
            refused = connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            refused_ones = ", ".join(sorted(error.recipients))
            raise MailError(f"{where} takes no mail for {refused_ones}.") from error
    if refused:
        raise MailError(f"{where} takes no mail for {', '.join(sorted(refused))}; others have it.")


def greet(server: MailServer) -> None:
    """Whether it would take a letter, as far as that can be seen without one.

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
        raise MailError(f"{where} refuses SMTP_USER or SMTP_PASSWORD.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(
            f"No mail can be sent by {where} ({_short(error)}): look at SMTP_HOST, "
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
    """The kind and the first line, without what was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {text.splitlines()[0] if text else ''}".strip()
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".strip(": ")
