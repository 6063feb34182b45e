"""What all groups of settings share: where values come from, what none may hold, and constants."""

from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from .plain_values import check_plain, on_one_line

HOUSE: Final = Path(__file__).resolve().parents[2]  # the project's root folder

MEGABYTE: Final = 1_000_000
_PROSE: Final = {"initial_prompt", "hotwords"}  # a list or a text, which may have lines


class SettingsGroup(BaseSettings):
    """Base of all groups: values come from the environment, then from `.env`.

    pydantic takes the configuration of the last base class, so every group must inherit this one:
    a group that inherits `BaseSettings` directly makes `Settings` ignore `.env`.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_plain(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401  # as it was given
        if isinstance(value, str):
            if info.field_name in _PROSE:
                value = on_one_line(value)
            check_plain(value, secret=is_secret(cls.model_fields[info.field_name or ""]))
        return value

    def further_secrets(self) -> list[str]:
        """Secrets that are parts of settings; a group with such settings adds its own."""
        return []


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is secret, which its type says."""
    return SecretStr in {field.annotation, *get_args(field.annotation)}
