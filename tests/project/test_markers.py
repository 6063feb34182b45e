"""Markers follow from fixtures and code, so that `make test-fast` leaves out what is slow."""

from escriba.settings import HOUSE

COLLECTED = """
import subprocess
import pytest

@pytest.fixture
def postgres():
    return 1

@pytest.fixture
def database(postgres):
    return 1

@pytest.fixture
def server():
    def start():
        return subprocess.run(["true"])
    return start

def test_plain():
    pass

def test_far_from_it(database):
    pass

def test_starts(server):
    pass

@pytest.mark.parametrize("store", ["local", "postgres"])
def test_by_name(store):
    pass

@pytest.mark.torch
def test_on_torch():
    pass
"""
CONFTEST = """
from tests import markers

def pytest_collection_modifyitems(config, items):
    for item in items:
        markers.mark_by_fixtures(item)
    markers.HAS_TORCH = False
    markers.deselect_without_torch(config, items)
"""


def collected(pytester, expression):
    """The tests that -m chooses."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(COLLECTED)
    done = pytester.runpytest_subprocess("--collect-only", "-q", "-m", expression)
    return [line.split("::")[1] for line in done.outlines if "::" in line]


def test_a_fixture_marks_what_uses_it_also_through_another_one(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))

    assert collected(pytester, "postgres") == ["test_far_from_it", "test_by_name[postgres]"]


def test_whatever_starts_a_process_is_slow(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))

    assert collected(pytester, "slow") == ["test_starts"]


def test_without_torch_its_tests_run_elsewhere(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))

    assert collected(pytester, "torch") == []
    assert "test_plain" in collected(pytester, "not slow")
