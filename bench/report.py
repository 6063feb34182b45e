"""What every bench says in the same way: its options, its table, its figures, on which machine."""

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table


def options(description: str | None) -> argparse.Namespace:
    """`quick` and `json`, from the command line."""
    return parser(description).parse_args()


def parser(description: str | None) -> argparse.ArgumentParser:
    """The same, for a bench that has options of its own too."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--quick", action="store_true", help="smaller sizes, for a first look")
    made.add_argument("--json", action="store_true", help="end with one line of JSON")
    return made


def show(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    figures: Mapping[str, object],
    *,
    as_json: bool = False,
) -> None:
    """Print the table, where and when it was measured, and with `as_json` the figures last.

    Args:
        title: What was measured.
        columns: Their headings; the first column is text, the others are numbers.
        rows: One for each thing measured, already rounded as they should be read.
        figures: Plain values by name; the machine and the time are added to them.
        as_json: Whether the last line is one JSON object with the figures.
    """
    where = {"machine": machine(), "measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
    table = Table(*columns[:1], title=title)
    for heading in columns[1:]:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)
    print(f"{where['machine']}, {where['measured_at']}")
    if as_json:
        print(json.dumps({**figures, **where}))


def machine() -> str:
    """The processor, how many of its cores this process may use, and the Python."""
    return f"{_processor()}, {_cores()} cores, Python {platform.python_version()}"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
