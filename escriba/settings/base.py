"""What every group of settings shares: where values come from, and two constants."""

from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings, SettingsConfigDict

HOUSE: Final = Path(__file__).resolve().parents[2]  # the project's root folder

MEGABYTE: Final = 1_000_000


class SettingsGroup(BaseSettings):
    """Base of all groups: values come from the environment, then from `.env`.

    pydantic takes the configuration of the last base class, so every group must inherit this one:
    a group that inherits `BaseSettings` directly makes `Settings` ignore `.env`.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )
