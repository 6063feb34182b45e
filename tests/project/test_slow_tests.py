"""`make test-fast` leaves out what is listed as slow, and `make slow-tests` writes the list."""

import pytest

from escriba.settings import HOUSE

TESTS = """
import time
import pytest

def test_quick():
    pass

@pytest.mark.parametrize("part", ["a", "b"])
def test_slow_in_parts(part):
    time.sleep(0.25)

def test_listed():
    pass
"""
CONFTEST = """
from pathlib import Path
from tests import slow_tests

slow_tests.LIST = Path(__file__).with_name("slow_tests.txt")
pytest_plugins = ["tests.slow_tests"]
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A project with three tests, one of them on its list."""
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))
    pytester.makeconftest(CONFTEST)
    path = pytester.makepyfile(TESTS)
    listed = path.with_name("slow_tests.txt")
    listed.write_text(f"# why\n{path.name}::test_listed\n")
    return pytester, path.name, listed


def test_what_is_listed_is_slow(project):
    pytester, name, _ = project
    done = pytester.runpytest_subprocess("--collect-only", "-q", "-m", "not slow")

    chosen = [line for line in done.outlines if "::" in line]
    assert chosen == [
        f"{name}::test_quick",
        f"{name}::test_slow_in_parts[a]",
        f"{name}::test_slow_in_parts[b]",
    ]


def test_the_list_is_written_from_what_all_parameters_take_together(project):
    pytester, name, listed = project
    done = pytester.runpytest_subprocess("-q", "-m", "not slow", "--write-slow-tests")

    done.assert_outcomes(passed=4)
    lines = listed.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == [f"{name}::test_slow_in_parts"]
