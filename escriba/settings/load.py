"""Loading of settings: one error that names every variable with a wrong value."""

from typing import TypeVar

from pydantic import ValidationError

from escriba.errors import EscribaError

from .base import SettingsGroup

AnySettings = TypeVar("AnySettings", bound=SettingsGroup)


class SettingsError(EscribaError, ValueError):
    """A setting is invalid. The text names the variable, but no value that may be a secret."""


def load(kind: type[AnySettings], overrides: dict[str, object]) -> AnySettings:
    """Settings of that kind; overrides win over the environment and `.env`.

    Raises:
        SettingsError: names each variable that is invalid, and why.
    """
    try:
        return kind(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("Invalid settings. " + "; ".join(_lines(error))) from None
    except UnicodeDecodeError as error:
        raise SettingsError(".env is not UTF-8 text: save it as UTF-8.") from error


def _lines(error: ValidationError) -> list[str]:
    """`VARIABLE: reason` of each; a rule between several settings has only a reason."""
    lines = []
    for fault in error.errors():
        variable = ".".join(map(str, fault["loc"])).upper()
        reason = fault["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}: {reason}" if variable else reason)
    return lines
