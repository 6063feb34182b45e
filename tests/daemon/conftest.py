import functools
import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from assets.names import RECORDINGS_JOB
from pipelines.dagster_home import dagster_home
from pipelines.settings import load_settings
from resources.storage import open_storage
from sensors.running import keys_of

HOUSE = Path(__file__).resolve().parents[2]
TICK = HOUSE / "tests" / "daemon" / "tick.py"


@functools.cache
def load_tick():
    """tests/daemon/tick.py as a module: tests are no package."""
    spec = importlib.util.spec_from_file_location("tick", TICK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Place:
    """A bucket, Dagster's home, and the daemon's turns."""

    def __init__(self, root, monkeypatch, postgres_url=""):
        self.root, self._seconds = root, 0.0
        monkeypatch.setenv("STORAGE_URL", (root / "bucket").as_uri())
        monkeypatch.setenv("DAGSTER_HOME", str(root / "dagster"))
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_url)
        self.settings = load_settings()
        self.storage = open_storage(self.settings)
        dagster_home(self.settings)

    def tick(self, sensor="inbox_sensor", step=""):
        """A turn of the daemon, a minute after the one before, in a process that dies at `step`."""
        self._seconds += 60
        if not step:
            load_tick().main(sensor, self._seconds)
            return
        done = subprocess.run(
            [sys.executable, str(TICK), sensor, str(self._seconds), step],
            env=os.environ | {"PYTHONPATH": str(HOUSE)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == -9, done.stderr[-2000:]

    def instance(self):
        return dg.DagsterInstance.from_config(str(self.root / "dagster"))

    def runs(self):
        with self.instance() as instance:
            return instance.get_runs(dg.RunsFilter(job_name=RECORDINGS_JOB))

    def keys_asked_for(self):
        """How many runs each partition key is in."""
        return Counter(key for run in self.runs() for key in keys_of(run.run_config))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path, monkeypatch):
    """The same on both of Dagster's stores."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return Place(tmp_path, monkeypatch, url)


@pytest.fixture
def postgres_place(tmp_path, monkeypatch, postgres_url):
    """The one that keeps thousands of partitions."""
    return Place(tmp_path, monkeypatch, postgres_url)
