"""Holds an export against FOCUS: what was checked, what was not, and why, by kind.

`make focus-validate FILE=focus.parquet` runs it in the validator's environment. Of the version that
the FinOps Foundation's own validator knows its rules are held, with the criteria that are true of
us; of every version the rules of the specification's columns (focus_columns.py). The validator
ends with 0 whatever it finds, and looks for its rules in the folder where it is called: its answer
is read here.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from subprocess import PIPE, STDOUT
from sysconfig import get_path

import focus_columns

KNOWN = "1.2"  # to the validator
# what is true of Escriba: tenants, a price book with units, seconds and minutes that are measured,
# spot beside on demand, bills in other currencies. Nothing of the others is: no commitments, no
# reservations, no regions or resources that a charge could name.
CRITERIA = (
    *("SUB_ACCOUNT_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED", "UNIT_PRICING_SUPPORTED"),
    *("USAGE_MEASUREMENT_SUPPORTED", "ACCOUNT_NAMING_SUPPORTED"),
    *("MULTIPLE_PRICING_CATEGORIES_SUPPORTED", "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED"),
)
# The bundled model contradicts itself: InvoiceId-C-004 wants null where a charge is on no invoice,
# InvoiceId-C-005 forbids null where it is on one, and both are held of every charge; C-003 wants
# one of them, and C-000 wants C-003. No file with billed and unbilled days passes them.
CONTRADICTORY = {"InvoiceId-C-000-O", "InvoiceId-C-003-C", "InvoiceId-C-004-C", "InvoiceId-C-005-C"}
_MAGIC = b"PAR1"  # a Parquet file begins with it
_RULE = re.compile(r"^- (\S+?): (violations=.*)$", re.MULTILINE)
_TOTAL = re.compile(r"^Total: (\d+) \| Pass: (\d+) \| Fail: (\d+) \| Skipped: (\d+)$", re.MULTILINE)
_LINE = re.compile(r"^\S+ (\S+): (PASS|SKIPPED)(.*)$", re.MULTILINE)
_KINDS = {"M": "must", "C": "must under a condition", "O": "recommended"}
_WHY = (
    ("is dynamic", "no file can show it, such as whether an invoice says the same"),
    ("not applicable", "of what Escriba has not (commitments, reservations, regions, resources …)"),
    ("OPTIONAL", "optional, which nothing can break"),
    ("child rules were skipped", "a heading over rules of which none was checked"),
    ("upstream dependency", "it hangs on a rule that was not checked"),
)


def main(file: str) -> int:
    """0: it holds; 1: it does not, and says where; 2: there is no such file, or no answer."""
    trouble = no_parquet(Path(file))
    if trouble:
        sys.stderr.write(f"FILE={file}: {trouble}\n")
        return 2
    ours, version = _held_by_us(file)
    if version != KNOWN:
        sys.stdout.write(f"The Foundation's validator does not know FOCUS {version}.\n")
        return ours
    command = [str(Path(sys.executable).with_name("focus-validator")), "--block-download"]
    command += ["--validate-version", KNOWN, "--data-file", str(Path(file).resolve())]
    command += ["--applicability-criteria", ",".join(CRITERIA)]
    done = subprocess.run(  # noqa: S603  # the validator of this environment
        command, cwd=get_path("purelib"), stdout=PIPE, stderr=STDOUT, text=True, check=False
    )
    return max(ours, judge(done.stdout))


def no_parquet(path: Path) -> str:
    """Why it cannot be held against anything; empty where it can."""
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        return f"it cannot be read ({error.strerror})."
    return "" if is_parquet else "it is no Parquet file: `escriba costs --export-focus` writes one."


def _held_by_us(file: str) -> tuple[int, str]:
    import pyarrow.parquet as pq  # noqa: PLC0415  # in the validator's environment

    table = pq.read_table(file)
    version = focus_columns.version_of(table.column_names)
    found = focus_columns.broken(table, version)
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    kinds = ", ".join(f"{n} {kind}" for kind, n in focus_columns.rules_of(version).items())
    sys.stdout.write(
        f"FOCUS {version}, the columns' rules of the specification, held by Escriba on "
        f"{table.num_rows} charges: {kinds}; {len(found)} broken.\n"
    )
    return (1 if found else 0), version


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
        f"FOCUS {KNOWN}, the Foundation's validator, criteria {', '.join(CRITERIA)}:\n"
        f"{total[2]} of {total[1]} rules pass{_by_kind(said)}, {len(real)} fail; excused, since "
        f"the model contradicts itself: {excused}.\n"
    )
    for why, count in _skipped(said).most_common():
        sys.stdout.write(f"{count} not checked: {why}.\n")
    return 1 if real else 0


def _by_kind(said: str) -> str:
    kinds = Counter(
        _KINDS.get(rule.rpartition("-")[2], "others")
        for rule, state, _ in _LINE.findall(said)
        if state == "PASS"
    )
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f" ({told})" if told else ""


def _skipped(said: str) -> Counter[str]:
    """Of each reason, in words, how many rules."""
    return Counter(
        next((words for mark, words in _WHY if mark in rest), "the validator does not say why")
        for _, state, rest in _LINE.findall(said)
        if state == "SKIPPED"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
