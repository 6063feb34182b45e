import functools
import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from cli.dagster_home import dagster_home
from escriba.settings import load_settings
from escriba.stages import RECORDINGS_JOB
from resources.storage import open_storage
from sensors.running import keys_of

HOUSE = Path(__file__).resolve().parents[2]
TICK = HOUSE / "tests" / "pipelines" / "tick.py"


@functools.cache
def load_tick():
    """tests/pipelines/tick.py as a module, since the tests are not a package."""
    spec = importlib.util.spec_from_file_location("tick", TICK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Place:
    """A bucket, a DAGSTER_HOME, and ticks of the daemon."""

    def __init__(self, root, monkeypatch, postgres_url=""):
        self.root, self._seconds = root, 0.0
        monkeypatch.setenv("STORAGE_URL", (root / "bucket").as_uri())
        monkeypatch.setenv("DAGSTER_HOME", str(root / "dagster"))
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_url)
        self.settings = load_settings()
        self.storage = open_storage(self.settings)
        dagster_home(self.settings)

    def tick(self, sensor="inbox_sensor", step=""):
        """A tick of the daemon, a minute after the last, in a process that is killed at `step`."""
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
        """The number of runs that contain each partition key."""
        return Counter(key for run in self.runs() for key in keys_of(run.run_config))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path, monkeypatch):
    """A Place with each of Dagster's two stores."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return Place(tmp_path, monkeypatch, url)


@pytest.fixture
def postgres_place(tmp_path, monkeypatch, postgres_url):
    """A Place on the store that is made for thousands of partitions."""
    return Place(tmp_path, monkeypatch, postgres_url)
