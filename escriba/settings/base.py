"""What all groups of settings share: where values come from, what none may hold, and constants."""

from pathlib import Path
from typing import Any, Final

from pydantic import ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from .plain_values import check_plain, on_one_line
from .secret_files import SecretFiles, is_secret

HOUSE: Final = Path(__file__).resolve().parents[2]  # the project's root folder

MEGABYTE: Final = 1_000_000
_PROSE: Final = {"initial_prompt", "hotwords"}  # a list or a text, which may have lines


class SettingsGroup(BaseSettings):
    """Base of all groups: values come from the environment, then from `.env`.

    In each of the two, the file that `NAME_FILE` names stands in for a secret `NAME` that is unset.

    pydantic takes the configuration of the last base class, so every group must inherit this one:
    a group that inherits `BaseSettings` directly makes `Settings` ignore `.env`.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic's name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Overrides, the environment and its files of secrets, `.env` and its files."""
        sources = [init_settings]
        for source in (env_settings, dotenv_settings):
            sources.append(source)
            if isinstance(source, EnvSettingsSource):
                sources.append(SecretFiles(settings_cls, source.env_vars))
        return tuple(sources)

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
