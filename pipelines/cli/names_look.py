"""Names in .env and the environment that nobody reads, as `escriba doctor` tells it."""

import os
from collections.abc import Iterator
from pathlib import Path

from dotenv import dotenv_values

from pipelines.setting_names import strangers
from pipelines.settings import Settings, setting_names

from .findings import Finding


def names(_settings: Settings | None) -> Iterator[Finding]:
    """A misspelt setting is passed over in silence by whoever reads it.

    Needs no settings: a name that is wrong may be the reason why another one is.
    """
    known = setting_names()
    in_file = _names_in(Path(".env"))
    places = {
        ".env": strangers(in_file, known, in_env_file=True),
        "the environment": strangers(set(os.environ) - in_file, known, in_env_file=False),
    }
    for place, found in places.items():
        for one in found:
            yield Finding(
                what="settings",
                state="odd",
                found=f"{one.name} is set in {place}, and no setting has that name",
                advice=f"Did you mean {one.meant}? As it is, it changes nothing.",
            )


def _names_in(file: Path) -> set[str]:
    try:
        return set(dotenv_values(file)) if file.is_file() else set()
    except UnicodeDecodeError:  # the settings say so
        return set()
