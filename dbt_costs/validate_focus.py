"""Holds an export against FOCUS 1.2 with the FinOps Foundation's own validator.

`make focus-validate FILE=focus.parquet` runs it in the validator's environment. The validator
ends with 0 whatever it finds, and looks for its rules in the folder where it is called: its
answer is read here.
"""

import re
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT
from sysconfig import get_path

# The bundled model contradicts itself: InvoiceId-C-004 wants null where a charge is on no invoice,
# InvoiceId-C-005 forbids null, and neither can tell which charge is on one. Nobody passes both.
CONTRADICTORY = {"InvoiceId-C-005-C"}
_MAGIC = b"PAR1"  # a Parquet file begins with it
_RULE = re.compile(r"^- (\S+?): (violations=.*)$", re.MULTILINE)
_TOTAL = re.compile(r"^Total: (\d+) \| Pass: (\d+) \| Fail: (\d+) \| Skipped: (\d+)$", re.MULTILINE)


def main(file: str) -> int:
    """0: it holds; 1: it does not, and says where; 2: there is no such file, or no answer."""
    trouble = no_parquet(Path(file))
    if trouble:
        sys.stderr.write(f"FILE={file}: {trouble}\n")
        return 2
    command = [str(Path(sys.executable).with_name("focus-validator")), "--block-download"]
    command += ["--validate-version", "1.2", "--data-file", str(Path(file).resolve())]
    done = subprocess.run(  # noqa: S603  # the validator of this environment
        command, cwd=get_path("purelib"), stdout=PIPE, stderr=STDOUT, text=True, check=False
    )
    return judge(done.stdout)


def no_parquet(path: Path) -> str:
    """Why it cannot be held against anything; empty where it can."""
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        return f"it cannot be read ({error.strerror})."
    return "" if is_parquet else "it is no Parquet file: `escriba costs --export-focus` writes one."


def judge(said: str) -> int:
    """What the validator's answer comes to."""
    total = _TOTAL.search(said)
    if total is None:
        sys.stderr.write(f"The validator gave no answer:\n{said[-2000:]}\n")
        return 2
    failures = dict(_RULE.findall(said))
    if len(failures) != int(total[3]):
        sys.stderr.write(f"{total[0]}, but only these are named: {sorted(failures)}\n")
        return 2
    real = {rule: why for rule, why in failures.items() if rule not in CONTRADICTORY}
    for rule, why in real.items():
        sys.stdout.write(f"{rule}: {why}\n")
    excused = ", ".join(sorted(set(failures) & CONTRADICTORY)) or "none"
    sys.stdout.write(
        f"FOCUS 1.2: {total[2]} of {total[1]} rules pass, {len(real)} fail, {total[4]} ask for "
        f"what is not there; excused, since the model contradicts itself: {excused}.\n"
    )
    return 1 if real else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
