"""Lists skipped tests after each run; in CI only those of allowed_skips.txt may be skipped."""

import os
from pathlib import Path

import pytest

ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")


def allowed_skips():
    """The ids of tests that CI may skip."""
    lines = ALLOWED_SKIPS.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pytest_terminal_summary(terminalreporter):
    """Each skipped test and why; under CI a skip that is not allowed fails the run."""
    skipped = terminalreporter.stats.get("skipped", [])
    allowed = allowed_skips()
    terminalreporter.section("skipped tests")
    if not skipped:
        terminalreporter.line("none")
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        known = "" if report.nodeid in allowed else "  (not on the list of allowed skips)"
        terminalreporter.line(f"{report.nodeid}: {reason}{known}")


def pytest_sessionfinish(session, exitstatus):
    """CI takes no skip that nobody allowed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    allowed = allowed_skips()
    unknown = [report for report in skipped if report.nodeid not in allowed]
    if unknown and os.environ.get("CI") == "true" and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
