"""Selects a recording by a part of its name."""

import sys

import click

from escriba.recordings import Recording

from .cli_context import find_recording, recordings_like

MOST_SHOWN = 20


def choose_recording(text: str, known: list[Recording]) -> Recording:
    """Return the recording that `text` matches; in a terminal, ask where several match.

    Raises:
        click.UsageError: no recording matches, or several match outside a terminal.
    """
    matches = recordings_like(text, known)
    if len(matches) <= 1 or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return find_recording(text, known)
    click.echo(f"{text!r} matches {len(matches)} recordings:", err=True)
    for number, one in enumerate(matches[:MOST_SHOWN], start=1):
        click.echo(f"{number:4}  {one.name}", err=True)
    if len(matches) > MOST_SHOWN:
        left = len(matches) - MOST_SHOWN
        click.echo(f"      … and {left} more: type more of the name", err=True)
    most = min(len(matches), MOST_SHOWN)
    number = click.prompt("Which one", type=click.IntRange(1, most), err=True)
    return matches[number - 1]
