"""Names in .env and the environment that nobody reads, as `escriba doctor` tells it."""

import os
from collections.abc import Iterator
from pathlib import Path

from dotenv import dotenv_values

from pipelines.setting_names import strangers
from pipelines.settings import Settings, setting_names

from .findings import Finding


def names(_settings: Settings) -> Iterator[Finding]:
    """A misspelt setting is passed over in silence by whoever reads it."""
    known = setting_names()
    file = Path(".env")
    in_file = set(dotenv_values(file)) if file.is_file() else set()
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
