"""The settings as a file for `.env`, without a secret: those have to be set by hand again."""

from pydantic import SecretStr

from escriba.known_secrets import masked
from escriba.settings import Settings


def plain_settings(settings: Settings) -> str:
    """A line for each setting that was set; a secret one is named, without its value."""
    lines = []
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            lines.append(f"#{name.upper()}=  (a secret: set it yourself)")
        else:
            lines.append(f"{name.upper()}={masked(' '.join(str(value).split()))}")
    return "\n".join(lines) + "\n"
