"""Tries the attacks of one kind, in a process of their own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.attack.attacks import DELAY_SECONDS, MEGABYTES, Attack, KindFigures, Verdict
from bench.attack.memory import PeakMemory

KINDS: Final = ("media", "names", "objects", "settings", "stores", "links", "pages")
ROOT: Final = Path(__file__).parents[2]
PATIENCE_SECONDS: Final = 1_800.0  # for all attacks of a kind: one that hangs is not held


def attacks_of(kind: str, folder: Path, *, quick: bool) -> Iterator[Attack]:
    """The attacks of a kind; each is tried before the next one is made."""
    made: Iterator[Attack] = import_module(f"bench.attack.{kind}").attacks(folder, quick=quick)
    return made


def tried(attacks: Iterable[Attack]) -> KindFigures:
    """Try them all."""
    figures = KindFigures()
    with PeakMemory() as memory:
        for attack in attacks:
            memory.forget()
            began = time.perf_counter()
            verdict = _verdict(attack)
            _count(figures, attack, verdict, time.perf_counter() - began, memory.most_mb())
    return figures


def _verdict(attack: Attack) -> Verdict:
    try:
        return attack.run()
    except Exception as error:  # noqa: BLE001  # whatever it is, it was not held
        return Verdict(f"{type(error).__name__}: {error!s:.200}")


def _count(
    figures: KindFigures, attack: Attack, verdict: Verdict, seconds: float, mb: float | None
) -> None:
    delay = verdict.good_files_delayed_s
    fault = verdict.fault or _beyond(attack, seconds, mb, delay)
    figures.tried += 1
    figures.held += not fault
    if fault:
        figures.faults[attack.name] = fault
    figures.worst_seconds = max(figures.worst_seconds, round(seconds, 3))
    if mb is not None:
        figures.worst_mb = max(figures.worst_mb or 0.0, round(mb, 1))
    if delay is not None:
        figures.good_files_delayed_s = max(figures.good_files_delayed_s or 0.0, round(delay, 3))


def _beyond(attack: Attack, seconds: float, mb: float | None, delay: float | None) -> str:
    if seconds > attack.seconds:
        return f"it took {seconds:.1f} s; {attack.seconds:.0f} are allowed"
    if mb is not None and mb > MEGABYTES:
        return f"a process took {mb:.0f} MB; {MEGABYTES:.0f} are allowed"
    if delay is not None and delay > DELAY_SECONDS:
        return f"good recordings waited {delay:.1f} s; {DELAY_SECONDS:.0f} are allowed"
    return ""


def try_here(kind: str, *, quick: bool) -> None:
    """Try a kind in this process, and end with one line of JSON."""
    with TemporaryDirectory(prefix="escriba-bench-") as folder:
        print(json.dumps(asdict(tried(attacks_of(kind, Path(folder), quick=quick)))))


def try_apart(kind: str, *, quick: bool) -> KindFigures:
    """Try a kind in a new process, without the settings of a `.env`; its end is a fault too."""
    command = [
        sys.executable,
        "-m",
        "bench.attack",
        "--kind",
        kind,
        *(["--quick"] if quick else []),
    ]
    with TemporaryDirectory(prefix="escriba-bench-") as folder:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT), "MODEL": "demo"},
                capture_output=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _lost(f"no end within {PATIENCE_SECONDS:.0f} s", PATIENCE_SECONDS)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return _lost(f"the process ended with status {done.returncode}: {last:.200}", 0.0)
    return KindFigures(**json.loads(done.stdout.splitlines()[-1]))


def _lost(why: str, seconds: float) -> KindFigures:
    return KindFigures(tried=1, worst_seconds=seconds, faults={"all of them": why})
