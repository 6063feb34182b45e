"""A measurement in a process of its own, so that its memory is its own."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def measured(module: str, *arguments: object, quiet: bool = True) -> dict[str, float]:
    """The figures that a module of bench prints as its last line; `quiet`: without its errors."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures
