"""`deploy/compose/upgrade.sh` changes the version, and changes back what is not healthy.

There is no engine here: a `docker` on PATH writes down what it is asked, and is unhealthy with the
versions that it is told.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "compose" / "upgrade.sh"
DOCKER = """#!/bin/sh
echo "$(sed -n s/^ESCRIBA_VERSION=//p .env): $*" >> asked
case "$*" in
    *pg_dump*) echo the database; exit ${DUMP_STATUS:-0} ;;
    *up*) ! grep -q "^ESCRIBA_VERSION=$UNHEALTHY$" .env ;;
esac
"""


@pytest.fixture
def house(tmp_path):
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    (tmp_path / ".env").write_text("ESCRIBA_HOST=localhost\nESCRIBA_VERSION=0.1.0\n")
    return tmp_path


def upgrade(house, version, **environment):
    path = {"PATH": f"{house / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(
        [house / "upgrade.sh", version],
        env=path | {"UNHEALTHY": "none"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def asked(house):
    return (house / "asked").read_text().splitlines()


def test_a_healthy_version_stays_and_the_database_before_it_is_kept(house):
    done = upgrade(house, "0.2.0")

    assert done.returncode == 0
    assert "Escriba 0.2.0 is healthy" in done.stdout
    assert (house / ".env").read_text() == "ESCRIBA_HOST=localhost\nESCRIBA_VERSION=0.2.0\n"
    [dump] = (house / "backups").iterdir()
    assert dump.name.endswith("-0.1.0.dump")
    assert dump.read_text() == "the database\n"


def test_an_unhealthy_version_is_taken_back(house):
    done = upgrade(house, "0.2.0", UNHEALTHY="0.2.0")

    assert done.returncode == 1
    assert "ESCRIBA_VERSION=0.1.0" in (house / ".env").read_text()
    starts = [one.split(":")[0] for one in asked(house) if "up -d --wait" in one]
    assert starts == ["0.2.0", "0.1.0"]


def test_without_a_dump_nothing_changes(house):
    done = upgrade(house, "0.2.0", DUMP_STATUS="1")

    assert done.returncode == 1
    assert "ESCRIBA_VERSION=0.1.0" in (house / ".env").read_text()
    assert not any("up -d" in one for one in asked(house))
    assert not list((house / "backups").glob("*.dump"))


def test_what_is_no_version_is_refused(house):
    assert upgrade(house, "0.2.0/; rm x").returncode == 2
    assert not (house / "asked").exists()
