"""The program `terraform`: runs it in a folder, and turns what it says into errors."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from escriba.errors import EscribaError

_COLORS: Final = re.compile(r"\x1b\[[0-9;]*m")
_QUIET: Final = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
_MOST_CHARACTERS: Final = 4_000  # of an error: the end says what failed


class TerraformError(EscribaError):
    """Terraform is missing, or it refused or failed. The text has no value of a setting."""


def find_terraform(path: str | None) -> str:
    """The program, looked up in a PATH.

    Raises:
        TerraformError: it is not installed.
    """
    if found := shutil.which("terraform", path=path):
        return found
    raise TerraformError(
        "Terraform is not installed. Install version 1.9 or later "
        "(https://developer.hashicorp.com/terraform/install), so that `terraform version` works, "
        "and run the command again."
    )


@dataclass(frozen=True)
class Terraform:
    """One working folder. secrets: values that no message may contain."""

    program: str
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def text(self, *arguments: str) -> str:
        """Standard output of a command.

        Raises:
            TerraformError: it failed; the message is Terraform's own.
        """
        done = subprocess.run(  # noqa: S603  # the operator's own program
            [self.program, *arguments],
            cwd=self.folder,
            env={**self.environment, **_QUIET},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise self._failure(arguments, done.stderr or done.stdout)
        return done.stdout

    def watched(self, *arguments: str, tell: Callable[[str], None]) -> None:
        """Run a command that understands `-json`; `tell` gets each step when it is done.

        Raises:
            TerraformError: it failed; the message has Terraform's own words.
        """
        command = [self.program, arguments[0], "-json", *arguments[1:]]
        environment = {**self.environment, **_QUIET}
        faults: list[str] = []
        with subprocess.Popen(  # noqa: S603  # the operator's own program
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        ) as process:
            for line in process.stdout or ():
                _read(line, faults, tell)
        if process.returncode:
            raise self._failure(arguments, "\n".join(faults))

    def _failure(self, arguments: tuple[str, ...], said: str) -> TerraformError:
        text = _COLORS.sub("", said).strip()[-_MOST_CHARACTERS:]
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return TerraformError(f"`terraform {arguments[0]}` failed in {self.folder}:\n{text}")


def _read(line: str, faults: list[str], tell: Callable[[str], None]) -> None:
    """Sort one line of `-json`: an error, a step that is done, or nothing of interest."""
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        faults.append(line.rstrip())
        return
    diagnostic = said.get("diagnostic") or {}
    if diagnostic.get("severity") == "error":
        faults.append(_diagnosis(diagnostic))
    elif said.get("type") == "apply_complete":
        tell(said["@message"])


def _diagnosis(diagnostic: dict[str, Any]) -> str:
    place = f" ({diagnostic['address']})" if diagnostic.get("address") else ""
    return f"{diagnostic['summary']}{place}: {diagnostic.get('detail', '')}".rstrip(": ")
