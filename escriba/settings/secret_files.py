"""Secrets in files: `RUNPOD_API_KEY_FILE=/run/secrets/runpod_api_key` in place of the key itself.

Engines of containers give secrets as files; a variable would show them in `docker inspect`.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

SUFFIX: Final = "_FILE"
_LARGEST: Final = 65_536  # bytes; keys have a few hundred


class SecretFileError(ValueError):
    """A file of a secret cannot be read. The text has its variable and path, nothing of it."""


class SecretFiles(PydanticBaseSettingsSource):
    """A source of settings: the contents of the files that variables of another source name."""

    def __init__(self, kind: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(kind)
        self._variables = {name.upper(): value for name, value in variables.items()}

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002  # pydantic's signature
        field_name: str,
    ) -> tuple[Any, str, bool]:
        """The content for one field, or None."""
        variable = file_variable(field_name)
        path = self._variables.get(variable)
        return (_read(variable, path) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The contents by field; an empty file sets nothing, as an empty variable.

        Raises:
            SecretFileError: a file cannot be read.
        """
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in secret_names(fields)}
        return {name: content for name, content in found.items() if content}


def secret_names(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """The fields of secret settings, which their types tell."""
    return (name for name, field in fields.items() if is_secret(field))


def file_variable(field: str) -> str:
    """The variable that names the file of a secret."""
    return f"{field.upper()}{SUFFIX}"


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is secret, which its type says."""
    return SecretStr in {field.annotation, *get_args(field.annotation)}


def _read(variable: str, path: str) -> str:
    """The text of a file, without blanks and line breaks around it."""
    try:
        content = _content(Path(path).expanduser())
    except (OSError, ValueError, RuntimeError) as error:  # an odd path: expanduser, a zero byte
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SecretFileError(
            f"{variable}: cannot read {path!r} ({reason}). Write the secret into that file, "
            f"readable for the user of this process, or set {variable.removesuffix(SUFFIX)}"
        ) from None
    if content is None:
        raise SecretFileError(f"{variable}: {path} is not a regular file")
    if len(content) > _LARGEST:
        raise SecretFileError(f"{variable}: {path} is larger than a secret (64 KiB)")
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise SecretFileError(f"{variable}: {path} is not UTF-8 text") from None


def _content(path: Path) -> bytes | None:
    """As much as a secret may have, and a byte more; None: it is no regular file."""
    # without O_NONBLOCK, a pipe that nobody writes to would wait for ever
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, _LARGEST + 1) if is_regular else None
    finally:
        os.close(descriptor)
