import functools
import importlib.util
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import freeze_time

from assets.recordings.delete_runs import delete_runs
from assets.recordings.event_writer import write_events
from assets.recordings.partitions import add_partitions
from assets.recordings.retire_partitions import retire_partitions
from cli.dagster_home import dagster_home
from escriba.recordings import Recording
from escriba.settings import load_settings
from escriba.stages import CHAIN, COST_METRICS, RECORDINGS_JOB
from escriba.transcripts.render_options import DIARIZED_FILE
from intake.stage_records import CostFacts, StageRecord, record_key
from resources.storage import open_storage
from sensors.running import keys_being_processed, keys_of

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


BEGIN = datetime(2026, 1, 1, 3, tzinfo=UTC)
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
TABLES_OF_RUNS = ("runs", "run_tags", "bulk_actions", "backfill_tags")
TABLES_OF_EVENTS = (
    "event_logs", "asset_event_tags", "asset_check_executions", "dynamic_partitions", "asset_keys",
)  # fmt: skip
parts = dg.DynamicPartitionsDefinition(name="recordings")


@dg.multi_asset(
    name=CHAIN,
    specs=[dg.AssetSpec(COST_METRICS, partitions_def=parts, skippable=True)],
    check_specs=[dg.AssetCheckSpec("cost_is_known", asset=COST_METRICS)],
    config_schema={"keys": dg.Array(str)},
)
def chain(context):
    keys, tags = context.op_execution_context.op_config["keys"], {"dagster/code_version": "1"}
    write_events(
        context, [dg.AssetMaterialization(COST_METRICS, partition=key, tags=tags) for key in keys]
    )
    yield dg.AssetCheckResult(check_name="cost_is_known", asset_key=COST_METRICS, passed=True)


@dg.op
def look_after_the_house():
    pass


@dg.job
def upkeep_job():
    look_after_the_house()


class Years:
    """A bucket and a Dagster instance in which a simulated clock runs."""

    def __init__(self, place, instance):
        self.storage, self.instance, self.now = place.storage, instance, BEGIN
        self.settings = place.settings

    def finish(self, recording, content=b"sound"):
        """What the chain leaves in the bucket when a recording is done now."""
        self.storage.write(recording.inbox_key, content)
        self.storage.write(recording.transcript_key(DIARIZED_FILE), b"{}")
        etag = self.storage.head(recording.inbox_key).etag
        facts = CostFacts(
            source_etag=etag, attempt_ids=(), cost_usd="0", audio_seconds=1, rtf=None, speech_ms=0
        )
        record = StageRecord(
            stage=COST_METRICS, fingerprint="f", outputs={}, seconds=1, made_at=self.now,
            facts=facts.model_dump(mode="json"),
        )  # fmt: skip
        body = record.model_dump_json().encode()
        self.storage.write(record_key(recording, COST_METRICS), body)
        return recording

    def run(self, recordings):
        """One run over the recordings, now."""
        keys = [recording.partition_key for recording in recordings]
        add_partitions(self.instance, keys)
        with freeze_time(self.now):
            job = dg.Definitions(
                assets=[chain], jobs=[dg.define_asset_job("recordings_job", "*")]
            ).resolve_job_def("recordings_job")
            done = job.execute_in_process(
                instance=self.instance,
                run_config={"ops": {CHAIN: {"config": {"keys": keys}}}, "loggers": QUIET},
            )
        return done.run_id

    def month(self, number, count):
        """A month of work, with a run without partitions and a backfill from the UI."""
        recordings = [self.finish(Recording("acme", f"{number}/{i}.wav")) for i in range(count)]
        self.run(recordings)
        with freeze_time(self.now):
            upkeep_job.execute_in_process(instance=self.instance, run_config={"loggers": QUIET})
            self.instance.add_backfill(
                PartitionBackfill(
                    backfill_id=f"b{number}",
                    status=BulkActionStatus.COMPLETED_SUCCESS,
                    from_failure=False,
                    tags={"month": str(number)},
                    backfill_timestamp=self.now.timestamp(),
                    asset_selection=[],
                    serialized_asset_backfill_data="{}",
                )
            )
        return recordings

    def retire(self, **limits):
        return retire_partitions(
            self.instance,
            self.storage,
            self.now,
            30,
            lambda: keys_being_processed(self.instance),
            **limits,
        )

    def delete_runs(self, **limits):
        return delete_runs(self.instance, self.now, 90, keys_of, **limits)

    @property
    def alive(self):
        return set(self.instance.get_dynamic_partitions("recordings"))

    def rows(self):
        """The number of rows in each table that a year would fill."""
        found = {}
        with self.instance.run_storage.connect() as connection:
            found |= {name: _count(connection, name) for name in TABLES_OF_RUNS}
        with self.instance.event_log_storage.index_connection() as connection:
            found |= {name: _count(connection, name) for name in TABLES_OF_EVENTS}
        return found


def _count(connection, table):
    return connection.execute(db.text(f"SELECT count(*) FROM {table}")).scalar()


@pytest.fixture
def years(place):
    with place.instance() as instance:
        yield Years(place, instance)
