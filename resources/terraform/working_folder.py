"""The folder from which Terraform works: a copy of a module, its variables and its state."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from escriba.settings import HOUSE, SettingsError

CLOUDS: Final = ("aws", "gcp")
OWN_VARIABLES: Final = "own.auto.tfvars.json"  # read by Terraform after terraform.tfvars.json
_FROM_SETTINGS: Final = "terraform.tfvars.json"


def prepare(folder: Path, cloud: str, variables: dict[str, Any]) -> None:
    """Put the module's current files and the variables from the settings into the folder.

    The state and files of the operator's own, such as a backend's, stay.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    module = HOUSE / "deploy" / "terraform" / cloud
    wanted = {file.name for file in module.glob("*.tf")}
    for file in _copied(folder) - wanted:
        (folder / file).unlink(missing_ok=True)
    for name in sorted(wanted):
        shutil.copyfile(module / name, folder / name)
    (folder / ".copied.json").write_text(json.dumps(sorted(wanted)), encoding="utf-8")
    _write(folder / _FROM_SETTINGS, variables)


def own_variables(folder: Path, given: Iterable[str]) -> dict[str, Any]:
    """The variables that were given before, and those given now as NAME=VALUE, which win.

    A value is JSON, or else a text: 32, ["g6.xlarge"] or eu-west-1.

    Raises:
        SettingsError: one is not NAME=VALUE.
    """
    kept = folder / OWN_VARIABLES
    values: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    for text in given:
        name, found, value = text.partition("=")
        if not found or not name.strip().isidentifier():
            raise SettingsError(f"--var {text}: write it as NAME=VALUE.")
        values[name.strip()] = _value_of(value.strip())
    return values


def keep(folder: Path, values: dict[str, Any]) -> None:
    """Save the variables that were given, for the next call."""
    if values:
        _write(folder / OWN_VARIABLES, values)


def _value_of(text: str) -> Any:  # noqa: ANN401  # any JSON value
    try:
        return json.loads(text)
    except ValueError:
        return text


def _copied(folder: Path) -> set[str]:
    """The files that an earlier call copied; those of the operator are never removed."""
    listed = folder / ".copied.json"
    return set(json.loads(listed.read_text("utf-8"))) if listed.exists() else set()


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
