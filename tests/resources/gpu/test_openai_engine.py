"""A job on the engine with an API: its worker dies, and the next attempt buys only what is left."""

import asyncio
import hashlib
import os
import signal
from datetime import UTC, datetime

import pytest

from escriba.billing.permissions import Permission
from escriba.billing.permissions import SpendLimits as Money
from escriba.billing.price_book import read_price_book
from escriba.errors import BackendUnavailableError, RecordingError
from escriba.settings import load_settings
from gpu_job.contract import JobOptions, SpeechRegion
from resources.gpu.backends.openai import OpenaiBackend
from resources.gpu.engine import JobEngine
from resources.gpu.fleet import Fleet
from resources.gpu.job_folder import FrozenRequest, JobFolder
from resources.gpu.job_orders import AttemptLimits, order_of
from resources.ledger.writer import LedgerWriter
from resources.spending.budget_gate import Budget
from tests.api_kills import write_flac
from tests.fake_openai import FakeOpenAI, busy, tones

JOB = hashlib.sha256(b"a job of an API").hexdigest()
PIECES = {"openai_max_seconds": 5, "diarizer": "none"}


@pytest.fixture
def api():
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def recording(storage, tmp_path):
    """A recording of forty words in the bucket; makes orders for it."""
    samples, placed = tones(range(40), rest_ms=900)
    path = tmp_path / "audio.flac"
    write_flac(path, samples)
    body = path.read_bytes()
    storage.upload("work/acme/a/audio.flac", path)

    def order(**changes):
        request = FrozenRequest(
            job=JOB,
            content_sha256="c" * 64,
            options=JobOptions(model="whisper-1", language="en", diarizer="none"),
            model_revision="whisper-1",
            regions=tuple(SpeechRegion(start_ms=a, end_ms=b) for _, a, b in placed),
            audio_ms=samples.shape[1] // 16,
            recording="acme/a.mp3",
            created_at=datetime.now(UTC),
        )
        return order_of(
            JobFolder(storage, "acme", JOB),
            request,
            audio_key="work/acme/a/audio.flac",
            audio_sha256=hashlib.sha256(body).hexdigest(),
            audio_channels=1,
            audio_bytes=len(body),
            progress=lambda _: None,
            **changes,
        )

    return order, [word for word, _, _ in placed]


def engine_on(storage, backend):
    book = read_price_book(load_settings().price_book)
    fleet = Fleet([backend], book, Budget(storage, Money()))
    limits = AttemptLimits(queue_seconds=600, run_seconds=600)
    return JobEngine(fleet, LedgerWriter(storage), max_attempts=3, limits=limits)


def run(storage, backend, order):
    async def go():
        engine = engine_on(storage, backend)
        try:
            return await engine.run(order)
        finally:
            await engine.close()

    return asyncio.run(go())


def test_after_a_kill_the_next_attempt_buys_only_what_is_left(storage, api, recording):
    order, said = recording
    backend = OpenaiBackend(load_settings(**api.settings, **PIECES))

    def kill_at_the_fourth(_heard):
        if len(api.requests) == 4:
            api.arrived = None
            (worker,) = backend._pool._workers
            os.kill(worker.place.pid, signal.SIGKILL)

    api.arrived = kill_at_the_fourth

    finished = run(storage, backend, order())

    result = JobFolder(storage, "acme", JOB).result()
    words = [word.text.strip(".").lower() for part in result.segments for word in part.words]
    assert words == said
    assert [one.end.status for one in finished.attempts] == ["lost", "done"]
    assert len(api.requests) == len(api.billed) + 1  # the fourth, which was in flight
    assert finished.attempts[1].route.considered[0].backend == "openai"


def test_a_refused_key_fails_no_recording(storage, api, recording):
    order, _ = recording
    settings = api.settings | {"openai_api_key": "sk-wrong"}
    backend = OpenaiBackend(load_settings(**settings, **PIECES))

    with pytest.raises(BackendUnavailableError, match="OPENAI_API_KEY"):
        run(storage, backend, order())

    assert JobFolder(storage, "acme", JOB).attempts() == []


def test_an_account_without_credit_is_tried_once_and_then_waits(storage, api, recording):
    order, _ = recording
    api.faults.extend([busy(message="insufficient_quota")] * 9)
    backend = OpenaiBackend(load_settings(**api.settings, **PIECES))

    with pytest.raises(BackendUnavailableError, match="credit"):
        run(storage, backend, order())

    assert len(api.requests) == 1
    assert [one.end.status for one in JobFolder(storage, "acme", JOB).attempts()] == ["failed"]


def test_a_tenant_that_forbids_third_parties_sends_nothing(storage, api, recording):
    order, _ = recording
    settings = api.settings | {"openai_is_own_server": "no", "openai_times": "word"}
    backend = OpenaiBackend(load_settings(**settings, **PIECES))
    backend.sku = "whisper-1"

    with pytest.raises(RecordingError, match="third party"):
        run(storage, backend, order(permission=Permission(third_parties=False)))

    assert api.requests == []
