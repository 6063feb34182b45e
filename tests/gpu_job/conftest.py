import secrets
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from escriba.settings import load_settings
from gpu_job.common.audio import decode, sha256_of
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import (
    JobAddresses,
    JobOptions,
    JobRequest,
    JobResult,
    Lease,
    Segment,
    SpeechRegion,
    Turn,
    Word,
)
from gpu_job.diarize.base import Diarization
from gpu_job.job import run_job
from gpu_job.models import Models, load_models
from gpu_job.session import WorkerSession
from gpu_job.stop_request import Stop
from gpu_job.transcribe import batched_decoding, transcriber, window_vad
from gpu_job.transcribe.window_plan import WindowPlan
from resources.demo_models import unpack_demo_models
from resources.storage import open_storage
from tests.gpu_job.fake_device import Device, FakeDecoder
from tests.gpu_job.ten_regions import REGIONS

RECORDINGS = Path(__file__).resolve().parents[2] / "demo" / "recordings"


class FakeTranscriber:
    """Hears one word in each region, and does between them what a test wants."""

    def __init__(self, meanwhile=lambda done: None):
        self.meanwhile, self.calls, self.heard, self.batch_windows = meanwhile, 0, [], 8

    def transcribe(self, samples, regions, options, speech, progress):
        self.calls += 1
        speech.plan = speech.plan or WindowPlan(language="en")
        for region in regions[speech.windows_done :]:
            self.meanwhile(self)
            progress(region.end_ms)
            word = Word(start_ms=region.start_ms, end_ms=region.end_ms, text="ah", probability=1)
            segment = Segment(start_ms=word.start_ms, end_ms=word.end_ms, words=(word,))
            speech.segments.append(segment)
            speech.windows_done += 1
            self.heard.append(region)


class FakeDiarizer:
    """One speaker for everything."""

    def diarize(self, samples, regions, speakers, check):
        check()
        return Diarization(
            tuple(Turn(start_ms=r.start_ms, end_ms=r.end_ms, speaker="SPEAKER_00") for r in regions)
        )


@pytest.fixture(scope="session")
def real_models(tmp_path_factory):
    """The embedded models, loaded as a worker loads them."""
    folder = unpack_demo_models(tmp_path_factory.mktemp("models"))
    return load_models(WorkerSettings(models=folder))


@pytest.fixture
def fake_models():
    def make(meanwhile=lambda done: None):
        return Models(
            transcriber=FakeTranscriber(meanwhile),
            diarizer=FakeDiarizer(),
            session=WorkerSession("worker-1"),
        )

    return make


@pytest.fixture
def job(tmp_path):
    """A job folder on disk with a second of audio, and what lies in it."""
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri())
    return _job_in(open_storage(settings), tmp_path)


@pytest.fixture
def s3_job(s3, tmp_path):
    """The same in a real S3 server, with presigned addresses."""
    return _job_in(open_storage(s3.settings), tmp_path)


def _job_in(storage, tmp_path):
    path = tmp_path / "audio.flac"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("flac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ones((1, 16000), np.int16), "s16", "mono")
        frame.sample_rate = 16000
        made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    digest = sha256_of(path)
    storage.upload("audio.flac", path)

    def request(attempt=1, **changes):
        def address(key, permission):
            return storage.address(key, permission, timedelta(hours=1))

        claim = f"claim-{attempt}.json"
        fields = {
            "job": "a" * 64,
            "attempt": attempt,
            "nonce": secrets.token_hex(4),
            "options": JobOptions(model="demo"),
            "regions": (
                SpeechRegion(start_ms=0, end_ms=400),
                SpeechRegion(start_ms=500, end_ms=1000),
            ),
            "audio_ms": 1000,
            "audio_sha256": digest,
            "model_revision": "demo@1",
            "addresses": JobAddresses(
                audio=address("audio.flac", "read"),
                result_read=address("result.json", "read"),
                result_create=address("result.json", "create"),
                claim_read=address(claim, "read"),
                claim_create=address(claim, "create"),
                claim_beat=address(claim, "write"),
                partial_write=address(f"partial-{attempt}.json", "write"),
                partial_read=address(f"partial-{attempt - 1}.json", "read")
                if attempt > 1
                else None,
            ),
        }
        return JobRequest(**(fields | changes))

    def claim(attempt=1):
        return Lease.model_validate_json(storage.read(f"claim-{attempt}.json"))

    def result():
        body = storage.read("result.json")
        return None if body is None else JobResult.model_validate_json(body)

    return SimpleNamespace(storage=storage, request=request, claim=claim, result=result)


@pytest.fixture(scope="session")
def recordings():
    """The demo's own."""
    return RECORDINGS


@pytest.fixture(scope="session")
def samples():
    """The demo's English dialogue, decoded as a worker does."""
    return decode(RECORDINGS / "english-2-voices.mp3", 1, 44_700)


@pytest.fixture
def device(monkeypatch):
    def make(**how):
        card = Device(**how)
        monkeypatch.setattr(batched_decoding, "Decoder", lambda *_: FakeDecoder(card))
        monkeypatch.setattr(transcriber, "language_chances", lambda *_, **__: [("pt", 0.9)])
        monkeypatch.setattr(batched_decoding.time, "perf_counter", lambda: card.clock)
        return card

    return make


@pytest.fixture
def loud(monkeypatch):
    """The detector hears speech everywhere."""
    monkeypatch.setattr(window_vad.WindowVad, "__call__", lambda _self, a, b: b - a)


@pytest.fixture
def jobs(job):
    """Requests of several jobs: each with a claim and a result of its own."""

    def make(count):
        requests = []
        for n in range(1, count + 1):
            request = job.request(attempt=n, job=f"{n:064x}")
            own = {
                name: (address := getattr(request.addresses, name)).model_copy(
                    update={"url": address.url.replace("result", f"result-{n}")}
                )
                for name in ("result_read", "result_create")
            }
            addresses = request.addresses.model_copy(update=own | {"partial_read": None})
            requests.append(request.model_copy(update={"addresses": addresses}))
        return tuple(requests)

    return make


@pytest.fixture
def attempts(job, fake_models):
    """Runs the n-th attempt with a fresh worker; what it left is there for the next."""

    def run(number, meanwhile=lambda *_: None, **changes):
        stop, models = Stop(), fake_models(lambda fake: meanwhile(fake, stop))
        request = job.request(attempt=number, regions=REGIONS, **changes)
        return run_job(request, models, lambda _: None, stop), models.transcriber

    return run
