"""Which recording somebody means by a part of its name."""

import sys

import click

from pipelines.recordings import Recording

from .house import find_recording, recordings_like

MOST_SHOWN = 20


def choose_recording(text: str, known: list[Recording]) -> Recording:
    """The recording that somebody means; in a terminal, several of them are a question.

    Raises:
        click.UsageError: none is meant, or several and nobody is there to ask.
    """
    close = recordings_like(text, known)
    if len(close) <= 1 or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return find_recording(text, known)
    click.echo(f"{text!r} fits {len(close)} recordings:", err=True)
    for number, one in enumerate(close[:MOST_SHOWN], start=1):
        click.echo(f"{number:4}  {one.name}", err=True)
    if len(close) > MOST_SHOWN:
        click.echo(f"      … and {len(close) - MOST_SHOWN} more: say more of the name", err=True)
    most = min(len(close), MOST_SHOWN)
    number = click.prompt("Which one", type=click.IntRange(1, most), err=True)
    return close[number - 1]
