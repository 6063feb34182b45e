"""Tests that took long when they were last measured: `make slow-tests` writes their list.

What is slow by its fixtures or because it starts a process is marked by tests/markers.py. The list
has the rest: a test function is on it if its parameters together take longer than SLOW_SECONDS.
"""

from collections import defaultdict
from pathlib import Path

import pytest

LIST = Path(__file__).with_suffix(".txt")
SLOW_SECONDS = 0.4  # on two idle cores: all others together then take less than a minute
HEAD = f"""\
# Test functions that take longer than {SLOW_SECONDS} s; `make test-fast` leaves them out.
# `make slow-tests` measures them and writes this file.
"""


def pytest_addoption(parser):
    parser.addoption("--write-slow-tests", action="store_true", help=f"Write {LIST.name}.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Before -m chooses. While the list is measured, no test is on it."""
    listed = frozenset() if config.option.write_slow_tests else listed_in(LIST.read_text("utf-8"))
    for item in items:
        if function_of(item.nodeid) in listed:
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter, config):
    """Writes the list, if it was asked for and no worker process does it."""
    if config.option.write_slow_tests:
        reports = [one for group in terminalreporter.stats.values() for one in group]
        slow = slow_functions((one.nodeid, getattr(one, "duration", 0)) for one in reports)
        LIST.write_text(HEAD + "".join(f"{name}\n" for name in slow), encoding="utf-8")
        terminalreporter.line(f"{LIST.name} has {len(slow)} test functions now.")


def listed_in(text):
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def function_of(nodeid):
    """A test without its parameters."""
    return nodeid.partition("[")[0]


def slow_functions(durations, limit=SLOW_SECONDS):
    """The functions with more than `limit` seconds, of (node id, seconds), sorted."""
    seconds = defaultdict(float)
    for nodeid, duration in durations:
        seconds[function_of(nodeid)] += duration
    return sorted(name for name, total in seconds.items() if total > limit)
