"""Nothing is installed that somebody exchanged: every package of every lock has its hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).resolve().parents[2]
LOCKS = sorted([*HOUSE.glob("*.lock"), *HOUSE.glob("gpu_job_image/*.lock")])
GROUPS = {
    "requirements-dev.lock": ("test", "stores", "lint", "deploy"),
    "requirements-speech.lock": ("speech",),
    "requirements-bench.lock": ("bench",),
    "requirements-audit.lock": ("audit",),
}


def pins_of(lock):
    """Versions by name, and the hashes of each."""
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    found = {}
    for entry in entries:
        name, version = re.match(r"([\w.-]+)==([^\s;]+)", entry).groups()
        found[canonicalize_name(name)] = version, re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_a_version_and_hashes(lock):
    pins = pins_of(lock)

    assert pins
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []


@pytest.mark.parametrize(("lock", "groups"), GROUPS.items(), ids=list(GROUPS))
def test_a_lock_has_what_its_groups_ask_for(lock, groups):
    declared = tomllib.loads((HOUSE / "pyproject.toml").read_text())["dependency-groups"]
    pins = pins_of(HOUSE / lock)
    for requirement in (Requirement(one) for group in groups for one in declared[group]):
        assert pins[canonicalize_name(requirement.name)][0] in requirement.specifier


def test_a_package_of_the_orchestrator_has_one_version_in_all_its_locks():
    base = pins_of(HOUSE / "requirements.lock")
    for lock in GROUPS:
        others = pins_of(HOUSE / lock)
        differing = [name for name in base.keys() & others.keys() if base[name] != others[name]]
        assert differing == [], lock
