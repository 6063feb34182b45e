"""Loading of settings: one error that names every variable with a wrong value."""

from typing import TypeVar

from pydantic import SecretStr, ValidationError

from escriba.errors import EscribaError
from escriba.known_secrets import remember_secrets
from escriba.masked_logs import keep_secrets_out_of_logs

from .base import SettingsGroup
from .secret_files import SecretFileError

AnySettings = TypeVar("AnySettings", bound=SettingsGroup)


class SettingsError(EscribaError, ValueError):
    """A setting is invalid. The text names the variable, but no value that may be a secret."""


def load(kind: type[AnySettings], overrides: dict[str, object]) -> AnySettings:
    """Settings of that kind; overrides win over the environment and `.env`.

    Raises:
        SettingsError: names each variable that is invalid, and why.
    """
    try:
        settings = kind(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("Invalid settings. " + "; ".join(_lines(error))) from None
    except SecretFileError as error:
        raise SettingsError(f"Invalid settings. {error}.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(".env is not UTF-8 text: save it as UTF-8.") from error
    if secrets := secrets_of(settings):
        remember_secrets(secrets)
        keep_secrets_out_of_logs()
    return settings


def secrets_of(settings: SettingsGroup) -> list[str]:
    """The values of its secret settings that are set."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    found = (one.get_secret_value() for one in values if isinstance(one, SecretStr))
    return [one for one in [*found, *settings.further_secrets()] if one]


def _lines(error: ValidationError) -> list[str]:
    """`VARIABLE: reason` of each; a rule between several settings has only a reason."""
    lines = []
    for fault in error.errors():
        variable = ".".join(map(str, fault["loc"])).upper()
        reason = fault["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}: {reason}" if variable else reason)
    return lines
