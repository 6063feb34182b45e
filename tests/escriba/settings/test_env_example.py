"""`.env.example` says of every setting what the setting says of itself."""

import re

import pytest
from pydantic import SecretStr

from escriba.settings import HOUSE, Settings

EXAMPLE = (HOUSE / ".env.example").read_text(encoding="utf-8")
# the comment before a variable, the variable, and the value that is shown
ENTRY = re.compile(r"((?:^# .*\n)+)^#([A-Z0-9_]+)=(.*)$", re.MULTILINE)
ENTRIES = {
    name: (" ".join(re.sub(r"^# ", "", comment, flags=re.MULTILINE).split()), value)
    for comment, name, value in ENTRY.findall(EXAMPLE)
}


def shown(default):
    """A default as the example writes it; paths of the project are left empty."""
    if default is None or isinstance(default, SecretStr) or str(default).startswith(str(HOUSE)):
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_the_example_has_every_setting_and_no_other():
    assert set(ENTRIES) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_example_shows_the_description_and_the_default(name):
    field = Settings.model_fields[name]

    assert ENTRIES[name.upper()] == (field.description, shown(field.default))


def test_a_copy_of_the_example_changes_nothing(tmp_path):
    defaults = Settings()
    (tmp_path / ".env").write_text(
        "\n".join(f"{name}={value}" for name, (_, value) in ENTRIES.items() if value), "utf-8"
    )
    (tmp_path / "tenants.yaml").write_text("tenants: {}\n")

    assert Settings() == defaults
