"""Settings with secrets, line breaks and bytes that are no text, given to a command."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from bench.attack.attacks import Attack, Verdict, expected
from bench.attack.one_kind import ROOT
from escriba.settings import Settings
from tests.escriba.settings.test_wrong_values import BREAKS, KEYS, PLAIN, SECRETS, given_name

SECONDS: Final = 30.0
HIDDEN: Final = ("Ab3def", "AKIA", "two")  # of the values
WRONG: Final = 2  # the exit status


def attacks(folder: Path, *, quick: bool) -> Iterator[Attack]:
    """Each value in all settings that may not have it; without `quick` also in each one alone."""
    plain, every = (
        [given_name(n).upper() for n in names] for names in (PLAIN, Settings.model_fields)
    )
    cases = [(kind, value, plain) for kind, value in KEYS.items()]
    cases += [(ascii(value), value, every) for value in BREAKS]
    for kind, value, names in cases:
        place = "the file" if "\x00" in value else "the environment"
        yield Attack(f"{kind} in {place}", partial(_told, folder, value, names), SECONDS)
    if quick:
        return
    for name in (given_name(each).upper() for each in (*PLAIN, *SECRETS)):
        yield Attack(f"{name} alone", partial(_told, folder, BREAKS[0], [name]), SECONDS)


def _told(folder: Path, value: str, names: list[str]) -> Verdict:
    """Held if a command ends with one sentence that names each setting and shows no value."""
    given = dict.fromkeys(names, value)
    settings_file = folder / ".env"
    in_file = "\x00" in value  # no environment can have it
    if in_file:
        settings_file.write_text("".join(f'{name}="{value}"\n' for name in names))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "status"],
        env=environment | ({} if in_file else given),
        capture_output=True,
        cwd=folder,
        check=False,
    )
    settings_file.unlink(missing_ok=True)
    said = done.stderr.decode(errors="backslashreplace")
    missing = [name for name in names if f"{name}: " not in said]
    shown = [part for part in HIDDEN if part in said]
    is_plain = done.returncode == WRONG and "Traceback" not in said and said.strip().isprintable()
    return expected(
        it=is_plain and not missing and not shown,
        otherwise=(done.returncode, missing[:5], shown, said[:100]),
    )
