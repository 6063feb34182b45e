"""`escriba alert`: show the alert channels, or send a test message to them."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.text import Text

from cli.cli_context import console, json_option, open_context, print_json
from cli.cost_tables.cost_table import new_table
from cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from escriba.alerts.channels import Channel
    from escriba.alerts.episodes import Kind, Notice
    from escriba.alerts.outgoing import Outgoing
    from escriba.settings import Settings


@click.command()
@click.option("--test", "is_test", is_flag=True, help="Send a test message, also in quiet hours.")
@click.option("--channel", metavar="NAME", help="Only this channel of ALERT_CHANNELS.")
@json_option
def command(*, is_test: bool, channel: str | None, as_json: bool) -> None:
    """Show the alert channels, what waits for them, and alerts that are open.

    With --test, sends a message to all channels or to one. A pager is called only if --channel
    names it: it opens an incident and closes it immediately.
    """
    from resources.alerts.alert_store import read_state

    settings, storage = open_context()
    chosen = [one for one in settings.alert_places if channel in {None, one.name}]
    if not chosen:
        known = ", ".join(one.name for one in settings.alert_places) or "none"
        raise click.UsageError(
            f"ALERT_CHANNELS has no channel {channel!r}; it has {known}."
            if channel
            else "ALERT_CHANNELS is not set (docs/alerts.md)."
        )
    with plain_errors():
        state = read_state(storage)
    troubles = {
        one.name: _tried(one, settings, is_named=channel is not None) if is_test else ""
        for one in chosen
    }
    rows = [_row(one, state.channels.get(one.name), troubles[one.name]) for one in chosen]
    began = [key for key, episode in state.episodes.open.items() if episode.told]
    if as_json:
        print_json({"tested": is_test, "channels": rows, "alerts": began})
    else:
        _print(rows, began, is_test=is_test)
    sys.exit(1 if any(troubles.values()) else 0)


def _tried(channel: "Channel", settings: "Settings", *, is_named: bool) -> str:
    """Why the test message was not sent; empty: it was. Nobody is called unless the pager is named.

    An incident that is opened by a test is closed immediately.
    """
    from resources.alerts.send_message import ChannelError, check_channel, send_notices

    try:
        check_channel(channel, settings)
    except ChannelError as error:
        return str(error)
    if channel.is_pager and not is_named:
        return ""
    tests = [_test("began"), _test("over")] if channel.is_pager else [_test("test")]
    return send_notices(channel, tests, settings).error


def _test(kind: "Kind") -> "Notice":
    from escriba.alerts.episodes import Notice

    return Notice(
        id=f"test-{kind}",
        kind=kind,
        severity="info",
        title="test",
        text="This is a test.",
        at=datetime.now(UTC),
        alert="test",
    )


def _row(channel: "Channel", outgoing: "Outgoing | None", trouble: str) -> dict[str, object]:
    return {
        "channel": channel.name,
        "kind": channel.kind,
        "waiting": len(outgoing.queue) if outgoing else 0,
        "down_since": outgoing.down_since if outgoing else None,
        "trouble": trouble or (outgoing.error if outgoing else ""),
    }


def _print(rows: list[dict[str, object]], began: list[str], *, is_test: bool) -> None:
    table = new_table("Alert channels, tested now" if is_test else "Alert channels")
    table.add_column("channel")
    table.add_column("kind")
    table.add_column("messages that wait", justify="right")
    table.add_column("trouble")
    for row in rows:
        table.add_row(*(str(row[name]) for name in ("channel", "kind", "waiting", "trouble")))
    out = console()
    out.print(table)
    for key in began:
        out.print(Text(f"open: {key}"))
