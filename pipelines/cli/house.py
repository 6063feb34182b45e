"""What the commands share: the settings, the bucket, and how they print."""

import json
import os
from functools import lru_cache
from typing import Any, TextIO

import click
from rich.console import Console

from pipelines.recordings import Recording
from pipelines.settings import Settings, load_settings
from resources.storage import open_storage
from resources.storage.base import Storage
from resources.synthetic import NOTICE, is_synthetic

_NAMED = 10  # recordings that an error names

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def open_house(**overrides: object) -> tuple[Settings, Storage]:
    """The settings and the bucket they name."""
    settings = load_settings(**overrides)
    return settings, open_storage(settings)


def say_if_synthetic(storage: Storage) -> None:
    """On standard error, so that what programs read stays what it is."""
    if is_synthetic(storage):
        click.echo(NOTICE, err=True)


def print_json(value: Any) -> None:  # noqa: ANN401  # whatever json can say
    """One object, people's texts as they are."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def console() -> Console:
    """Where people read; knows whether it is a terminal. Brackets in names are brackets."""
    stream = kept_stream(1)
    # off a terminal nothing is wrapped: names and paths are read by programs there
    width = None if stream.isatty() else 200
    return Console(highlight=False, emoji=False, markup=False, file=stream, width=width)


@lru_cache(maxsize=2)
def kept_stream(descriptor: int) -> TextIO:
    """Standard output (1) or error (2) as it is now: Dagster sends both to files during a step."""
    return os.fdopen(os.dup(descriptor), "w", buffering=1, encoding="utf-8")


def find_recording(text: str, known: list[Recording]) -> Recording:
    """The recording that somebody means: its name, its path, or the end of it.

    Raises:
        click.UsageError: none or several, with what to type instead.
    """
    close = recordings_like(text, known)
    if len(close) == 1:
        return close[0]
    if not close:
        raise click.UsageError(
            f"No recording is called {text!r}; `escriba status --json` lists them."
        )
    names = ", ".join(r.name for r in close[:_NAMED])
    more = f" and {len(close) - _NAMED} more" if len(close) > _NAMED else ""
    raise click.UsageError(
        f"{text!r} fits {len(close)} recordings ({names}{more}); say more of the name."
    )


def recordings_like(text: str, known: list[Recording]) -> list[Recording]:
    """Those called so, in order; else those whose path ends so; else all that have it in them."""
    exact = [r for r in known if text in {r.name, r.partition_key, r.inbox_key}]
    close = exact or [r for r in known if f"/{r.name}".endswith(f"/{text}")]
    close = close or [r for r in known if text in r.name]
    return sorted(close, key=lambda r: r.name)
