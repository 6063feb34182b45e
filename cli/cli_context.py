"""What all commands share: settings, bucket, output, and recordings by name."""

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TextIO

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from escriba.recordings import Recording
from escriba.settings import Settings, load_settings
from escriba.text_for.json_text import json_text
from escriba.text_for.plain_lines import terminal
from resources.ledger.synthetic_mark import NOTICE, is_synthetic
from resources.storage import open_storage
from resources.storage.base import Storage

_MOST_NAMED = 10  # recordings that an error lists

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def open_context(**overrides: object) -> tuple[Settings, Storage]:
    """Return the settings and the bucket they name."""
    settings = load_settings(**overrides)
    return settings, open_storage(settings)


def say_if_synthetic(storage: Storage) -> None:
    """Print a notice on standard error where the ledger is simulated."""
    if is_synthetic(storage):
        say(NOTICE)


def print_json(value: Any) -> None:  # noqa: ANN401  # any JSON value
    """Print one JSON value; non-ASCII text is not escaped."""
    click.echo(json_text(value, indent=1))


def say(text: str) -> None:
    """Print a sentence on standard error; no terminal obeys what others put into it."""
    click.echo(terminal(text), err=True)


class _HarmlessConsole(Console):
    """Shows control characters of names and messages instead of sending them to a terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or (segment.text.isascii() and segment.text.isprintable()):
                yield segment
            else:
                yield Segment(terminal(segment.text), segment.style)


def console() -> Console:
    """Return a console on standard output that prints brackets in names literally."""
    stream = original_stream(1)
    # outside a terminal programs read the lines, so none is wrapped
    width = None if stream.isatty() else 200
    return _HarmlessConsole(highlight=False, emoji=False, markup=False, file=stream, width=width)


@lru_cache(maxsize=2)
def original_stream(descriptor: int) -> TextIO:
    """Return standard output (1) or error (2) as it is now: Dagster redirects both in a step."""
    return os.fdopen(os.dup(descriptor), "w", buffering=1, encoding="utf-8")


def find_recording(text: str, known: list[Recording]) -> Recording:
    """Return the one recording that matches a name, a path, or the end of a path.

    Raises:
        click.UsageError: no recording matches, or several do.
    """
    matches = recordings_like(text, known)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise click.UsageError(
            f"No recording matches {text!r}. `escriba status --json` lists all recordings."
        )
    names = ", ".join(r.name for r in matches[:_MOST_NAMED])
    more = f" and {len(matches) - _MOST_NAMED} more" if len(matches) > _MOST_NAMED else ""
    raise click.UsageError(
        f"{text!r} matches {len(matches)} recordings ({names}{more}). Type more of the name."
    )


def recordings_like(text: str, known: list[Recording]) -> list[Recording]:
    """Return exact matches; without any, matches of a path's end; else of any part of a name."""
    exact = [r for r in known if text in {r.name, r.partition_key, r.inbox_key}]
    matches = exact or [r for r in known if f"/{r.name}".endswith(f"/{text}")]
    matches = matches or [r for r in known if text in r.name]
    return sorted(matches, key=lambda r: r.name)
