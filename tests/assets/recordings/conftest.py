import asyncio
import logging
import secrets
import shutil
import wave
from contextlib import asynccontextmanager
from types import SimpleNamespace

import dagster as dg
import numpy as np
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.partition_status_cache import (
    get_and_update_asset_status_cache_value,
)

import resources.gpu.open_engine
from assets.recordings.batch import run_batch
from assets.recordings.partitions import add_partitions
from assets.recordings.progress import LogProgress
from assets.recordings.run_context import open_run_context
from escriba.billing.quotes import Capabilities, Health, Speed, machine_quote
from escriba.recordings import from_inbox_key
from escriba.settings import load_settings
from escriba.stages import STAGES
from gpu_job.contract import Segment, Word
from gpu_job.job import run_job
from gpu_job.models import Models
from gpu_job.transcribe.window_plan import WindowPlan
from intake.inbox import survey_inbox
from pipelines.definitions import defs, make_definitions
from resources.gpu.backend import AttemptReport
from resources.gpu.job_folder import Submission
from resources.ledger.queries import open_ledger
from resources.storage import open_storage


@pytest.fixture(scope="session")
def wav():
    """Writes and reads 16 kHz WAV files of int16 channels."""

    def write(path, *channels):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(len(channels))
            file.setsampwidth(2)
            file.setframerate(16000)
            length = min(len(channel) for channel in channels)
            file.writeframes(np.stack([c[:length] for c in channels], axis=1).tobytes())
        return path

    def read(path):
        with wave.open(str(path)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), np.int16)

    return SimpleNamespace(write=write, read=read)


class House:
    """A bucket and a Dagster instance, with methods to run the chain."""

    def __init__(self, settings, root):
        self.settings, self.root = settings, root
        self.storage = open_storage(settings)
        self.instance = dg.DagsterInstance.ephemeral()

    def put(self, source, name, tenant="acme"):
        """Put a file into the inbox; returns its recording."""
        recording = from_inbox_key(f"inbox/{tenant}/{name}")
        scratch = self.storage.scratch() / secrets.token_hex(8)
        shutil.copyfile(source, scratch)
        self.storage.upload(recording.inbox_key, scratch)
        return recording

    def run(self, recordings=None, *, retry=False, stages=(), selection=STAGES, tags=None):
        """A Dagster run over explicit keys, or over the partitions in the tags."""
        config = {"retry": retry, "stages": list(stages)}
        if recordings is not None:
            config["keys"] = [recording.partition_key for recording in recordings]
            add_partitions(self.instance, config["keys"])
        definitions = make_definitions(self.settings, self.progress())
        return definitions.resolve_job_def("recordings_job").execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            asset_selection=[dg.AssetKey(name) for name in selection],
            run_config={
                "ops": {"recording_chain": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            tags=tags,
        )

    def batch(self, recordings, *, retry=False, stages=STAGES):
        """Run the chain without Dagster; returns the outcomes."""

        async def go():
            run_context = open_run_context(self.settings, self.progress(), retry=retry)
            return await run_batch(run_context, recordings, stages)

        return asyncio.run(go())

    def progress(self):
        return LogProgress(logging.getLogger("escriba"))

    def survey(self):
        return survey_inbox(self.storage)

    def text(self, recording, file="transcript.txt"):
        body = self.storage.read(recording.transcript_key(file))
        return None if body is None else body.decode()

    def attempts(self):
        """The rows of the ledger as dictionaries."""
        with open_ledger(self.storage) as ledger:
            answer = ledger.execute("SELECT * FROM attempts ORDER BY recording, attempt")
            names = [column[0] for column in answer.description]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def status(self, asset):
        """Materialized and failed partitions of an asset, as the UI shows them."""
        definition = defs.get_assets_def(dg.AssetKey(asset)).partitions_def
        with partition_loading_context(dynamic_partitions_store=self.instance):
            value = get_and_update_asset_status_cache_value(
                self.instance, dg.AssetKey(asset), definition
            )
            made = value.deserialize_materialized_partition_subsets(definition)
            failed = value.deserialize_failed_partition_subsets(definition)
            return set(made.get_partition_keys()), set(failed.get_partition_keys())


class QuickBackend:
    """The real worker's code in this process, with a model that hears one word per region.

    For tests of the chain that do not care what is said: no process and no model is started.
    """

    name, sku = "local", "this-machine"
    capabilities = Capabilities(paid=False, third_party=False)
    look_seconds = 15.0

    def __init__(self):
        self.breaks = False

    def speed(self, job):
        return Speed(0.5, 5.0, "planned")

    def quote(self, job, price, speed):
        return machine_quote(job, price, speed)

    async def health(self):
        return Health("well")

    def console_url(self, submission):
        return ""

    @asynccontextmanager
    async def slot(self):
        yield

    async def submit(self, request, quote, progress):
        models = Models(self)
        await asyncio.to_thread(run_job, request, models, progress)
        return Submission(provider_id=request.nonce)

    async def poll(self, submission, wait_seconds):
        return AttemptReport("ended")

    async def cancel(self, submission):
        pass

    async def close(self):
        pass

    def transcribe(self, samples, regions, options, speech, progress):
        if self.breaks:
            raise RuntimeError("the model is broken")
        words = [
            Word(start_ms=r.start_ms, end_ms=r.end_ms, text="ah", probability=1, channel=r.channel)
            for r in regions
        ]
        speech.plan = WindowPlan(language=options.language or "en")
        speech.segments += [
            Segment(start_ms=w.start_ms, end_ms=w.end_ms, words=(w,), channel=w.channel)
            for w in words
        ]


@pytest.fixture
def quick(monkeypatch):
    """The backend of all runs, without a process or a model."""
    backend = QuickBackend()
    monkeypatch.setattr(resources.gpu.open_engine, "open_backends", lambda _settings: [backend])
    return backend


@pytest.fixture
def silence(wav, tmp_path):
    """Writes a file with this many seconds of silence."""
    return lambda seconds=4: wav.write(tmp_path / "s.wav", np.zeros(16_000 * seconds, np.int16))


@pytest.fixture
def house(tmp_path):
    """A House with a bucket in a local folder."""
    root = tmp_path / "bucket"
    settings = load_settings(
        storage_url=root.as_uri(),
        default_language="auto",
        costs_database=tmp_path / "costs.duckdb",
    )
    with_house = House(settings, root)
    yield with_house
    with_house.instance.dispose()
