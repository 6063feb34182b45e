"""Selects a recording by a part of its name."""

import sys

import click

from escriba.recordings import Recording

from .cli_context import find_recording, recordings_like, say

MOST_SHOWN = 20


def choose_recording(text: str, known: list[Recording]) -> Recording:
    """Return the recording that `text` matches; in a terminal, ask where several match.

    Raises:
        click.UsageError: no recording matches, or several match outside a terminal.
    """
    matches = recordings_like(text, known)
    if len(matches) <= 1 or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return find_recording(text, known)
    say(f"{text!r} matches {len(matches)} recordings:")
    for number, one in enumerate(matches[:MOST_SHOWN], start=1):
        say(f"{number:4}  {one.name}")
    if len(matches) > MOST_SHOWN:
        left = len(matches) - MOST_SHOWN
        say(f"      … and {left} more: type more of the name")
    most = min(len(matches), MOST_SHOWN)
    number = click.prompt("Which one", type=click.IntRange(1, most), err=True)
    return matches[number - 1]
