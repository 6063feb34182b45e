"""Sends messages to one channel: by apprise, or by the house's mail server."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from escriba.alerts.channels import Channel
from escriba.alerts.episodes import Notice
from escriba.alerts.messages import Message, message_of
from escriba.errors import EscribaError
from escriba.known_secrets import masked
from escriba.settings import Settings
from escriba.text_for.markdown import markdown
from escriba.text_for.plain_lines import log_line
from escriba.text_for.visible import visible_lines
from resources.mail import MailError, MailServer, send, text_mail

from .apprise_urls import apprise_url

_LONGEST_REASON: Final = 300
_PAGER_SECONDS: Final = 5.0  # half of what all channels may take together


class ChannelError(EscribaError):
    """A channel did not take a message; says why, without its URL."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What arrived, and why the rest did not; an empty error: all arrived.

    is_unsure: the rest may still arrive.
    """

    notices: tuple[Notice, ...]
    error: str = ""
    is_unsure: bool = False


def send_notices(  # noqa: PLR0913  # what is known of these notices, by name
    channel: Channel,
    notices: Sequence[Notice],
    settings: Settings,
    *,
    perhaps_sent: Collection[str] = (),
    dropped: int = 0,
    clock: Callable[[], float] = monotonic,
) -> Sent:
    """One message of all notices; a pager gets each by itself, since it closes each by itself.

    What a pager has not got after some seconds waits for the next time: it is not in what arrived.
    """
    until = clock() + _PAGER_SECONDS
    groups = [[one] for one in notices] if channel.is_pager else [list(notices)]
    arrived: list[Notice] = []
    for group in groups:
        if arrived and clock() > until:
            break
        message = message_of(group, visible_lines, perhaps_sent=perhaps_sent, dropped=dropped)
        try:
            _send(channel, message, group[0].alert, settings)
        except ChannelError as error:
            return Sent(tuple(arrived), str(error))
        arrived += group
    return Sent(tuple(arrived))


def check_channel(channel: Channel, settings: Settings) -> None:
    """Check what can be checked without sending anything.

    Raises:
        ChannelError: apprise does not know the URL, or a mail has no server.
    """
    if channel.addresses:
        _mail_server(settings)
    else:
        _opened(channel, "")


def _send(channel: Channel, message: Message, alert: str, settings: Settings) -> None:
    if channel.addresses:
        server = _mail_server(settings)
        mail = text_mail(message.title, message.body, settings.report_mail_from, channel.addresses)
        try:
            send(server, mail)
        except MailError as error:
            raise ChannelError(str(error)) from error
        return
    _notify(channel, message, alert)


def _notify(channel: Channel, message: Message, alert: str) -> None:
    from apprise import NotifyFormat, NotifyType  # noqa: PLC0415  # 0.5 s, only where it is used

    opened, title_for = _opened(channel, alert), _title_for(channel)
    kind = NotifyType.SUCCESS if message.is_good else NotifyType.FAILURE
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    try:
        took = opened.notify(
            title=title_for(message.title),
            body=message.body,
            body_format=NotifyFormat.TEXT,
            notify_type=kind,
        )
    except Exception as error:  # noqa: BLE001  # a plugin's own: one channel never stops the others
        raise ChannelError(why_not(channel, f"{type(error).__name__}: {error}")) from None
    finally:
        logger.removeHandler(heard)
    if not took:
        raise ChannelError(why_not(channel, heard.last or "it gives no reason"))


def _title_for(channel: Channel) -> Callable[[str], str]:
    """Teams reads Markdown in titles, where apprise leaves it."""
    return markdown if channel.kind == "teams" else str


def _opened(channel: Channel, alert: str) -> Any:  # noqa: ANN401  # apprise has no types
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415

    # no pictures from a third party, and nothing on disk
    asset = AppriseAsset(
        app_id="Escriba", app_desc="Escriba", app_url="", image_url_mask="", storage_mode="memory"
    )
    opened = Apprise(asset=asset)
    if not opened.add(apprise_url(channel, alert)):
        raise ChannelError(
            f"The URL of {channel.name} is none that apprise knows. Correct it in ALERT_CHANNELS."
        )
    return opened


def _mail_server(settings: Settings) -> MailServer:
    if not (settings.smtp_host and settings.report_mail_from):
        raise ChannelError("A mail channel needs SMTP_HOST and REPORT_MAIL_FROM.")
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
    )


def why_not(channel: Channel, text: str) -> str:
    """A sentence on why a channel did not take a message, without its URL."""
    clean = log_line(masked(text.replace(channel.url, "***")))
    return f"It was not sent ({clean[:_LONGEST_REASON]})."


class _Heard(logging.Handler):
    """The last warning of apprise, which answers only yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage().strip() or self.last
