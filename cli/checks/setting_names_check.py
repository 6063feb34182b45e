"""Checks .env and the environment for misspelled settings."""

import os
from collections.abc import Iterator
from pathlib import Path

from dotenv import dotenv_values

from escriba.settings import Settings, setting_names
from escriba.settings.unknown_names import unknown_names

from .finding import Finding


def names(_settings: Settings | None) -> Iterator[Finding]:
    """Yield names that resemble a setting but are not one; these are ignored without an error.

    Needs no valid settings, since a misspelled name may be why another setting is invalid.
    """
    known = setting_names()
    in_file = _names_in(Path(".env"))
    places = {
        ".env": unknown_names(in_file, known, in_env_file=True),
        "the environment": unknown_names(set(os.environ) - in_file, known, in_env_file=False),
    }
    for place, found in places.items():
        for one in found:
            yield Finding(
                what="settings",
                state="odd",
                found=f"{one.name} is set in {place}, but there is no such setting",
                advice=f"Did you mean {one.meant}? The setting is ignored.",
            )


def _names_in(file: Path) -> set[str]:
    try:
        return set(dotenv_values(file)) if file.is_file() else set()
    except UnicodeDecodeError:  # reported when the settings are loaded
        return set()
