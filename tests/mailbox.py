"""A real SMTP server on loopback, without a seal: what it was given, and how settings reach it."""

from aiosmtpd.controller import Controller


class Inbox:
    """What a mail server does with what it is given; it knows nobody@."""

    def __init__(self):
        self.letters = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # aiosmtpd's
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


def started(inbox, port):
    """The server, and the settings by which its letters are sent."""
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    return controller, {
        "report_mail_from": "costs@example.org",
        "smtp_host": "127.0.0.1",
        "smtp_port": controller.port,
        "smtp_security": "none",
    }
