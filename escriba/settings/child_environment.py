"""What the environment of a child process holds."""

import os
from typing import Final

from pydantic import SecretStr

from .base import SettingsGroup

_CREDENTIALS: Final = (
    "AWS_",
    "RUNPOD_",
    "GOOGLE_",
    "AZURE_",
    "OPENAI_",
    "PYANNOTE_AI_",
    "POSTGRES_",
    "DAGSTER_",
    "COSTS_POSTGRES_",
    "SMTP_",
)


def exported(settings: SettingsGroup) -> dict[str, str]:
    """Settings that were set, as the environment of a process that must see the same values."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def inherited_environment() -> dict[str, str]:
    """This process's environment without credentials, for a child process."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_CREDENTIALS)}


def environment_with(prefix: str) -> dict[str, str]:
    """As `inherited_environment`, with the variables of one cloud, for a program that uses it."""
    own = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    return inherited_environment() | own
