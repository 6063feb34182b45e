"""Workers under RunPod's SDK, against a RunPod on loopback: `make test-worker`."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import wave
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from gpu_job.common.audio import decode, sha256_of
from gpu_job.contract import (
    JobAddresses,
    JobOptions,
    JobRequest,
    JobResult,
    Lease,
    SpeechRegion,
)
from gpu_job.contract.packing import unpacked
from resources.demo_models import unpack_demo_models
from resources.storage import open_storage
from tests.conftest import RECORDINGS
from tests.fake_runpod import FakeRunPod

GONE_SECONDS = 120  # for machines that have a lot else to do
ENGLISH_MS = 44_700
REGION_MS = 10_000


@pytest.fixture(scope="session")
def demo_models(tmp_path_factory):
    """The folder of the embedded models."""
    return unpack_demo_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def runpod():
    """An endpoint of one's own."""
    with FakeRunPod() as fake:
        yield fake


class Pod:
    """The image's command as RunPod starts it; its own process group, for pings run beside it."""

    def __init__(self, runpod, name, log, environment, fault=""):
        self.name, self._log = name, log
        command = ["-m", "gpu_job.runpod_handler"]
        if fault:  # lines of Python before the same
            command = ["-c", f"{fault}\nfrom gpu_job.runpod_handler import main\nmain()"]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | runpod.worker_settings(name) | environment,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def terminate(self):
        """As RunPod does before it takes a machine away."""
        self.process.terminate()

    def kill(self):
        """The machine is gone, and all that ran on it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def exit_status(self):
        """Wait until it has ended by itself."""
        return self.process.wait(GONE_SECONDS)

    @property
    def log(self):
        """What it printed so far."""
        return self._log.read_text()


@pytest.fixture
def start_pod(runpod, demo_models, tmp_path):
    """Starts workers with the demo models; they are gone when the test ends."""
    pods = []

    def start(fault="", **environment):
        name = f"pod-{len(pods) + 1}"
        defaults = {
            "MODELS_FOLDER": str(demo_models),
            "MODEL": "demo",
            "DIARIZER": "light",
            "BATCH_WINDOWS": "1",  # asked to stop after every window
            "TMPDIR": str(tmp_path),
        }
        pod = Pod(runpod, name, tmp_path / f"{name}.log", defaults | environment, fault)
        pods.append(pod)
        return pod

    yield start
    for pod in pods:
        pod.kill()


@pytest.fixture(scope="session")
def english():
    """The demo's dialogue, int16 at 16 kHz."""
    return decode(RECORDINGS / "english-2-voices.mp3", 1, ENGLISH_MS)[0]


@pytest.fixture
def new_job(s3, english, tmp_path):
    """Puts a recording into a bucket, and gives its job with presigned addresses only."""
    storage = open_storage(s3.settings)

    def put(times):
        path = tmp_path / f"{secrets.token_hex(4)}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(np.tile(english, times).tobytes())
        storage.upload(path.name, path)
        return path

    def make(times=1):
        path, folder = put(times), secrets.token_hex(4)
        milliseconds = times * len(english) // 16
        starts = range(0, milliseconds - REGION_MS, REGION_MS)

        def address(name, permission):
            key = name if permission == "read" and name == path.name else f"{folder}/{name}"
            return storage.address(key, permission, timedelta(hours=1))

        def request(attempt=1, **changes):
            claim = f"claim-{attempt}.json"
            fields = {
                "job": folder * 8,
                "attempt": attempt,
                "nonce": secrets.token_hex(4),
                "options": JobOptions(model="demo"),
                "regions": tuple(
                    SpeechRegion(start_ms=start, end_ms=start + REGION_MS) for start in starts
                ),
                "audio_ms": milliseconds,
                "audio_sha256": sha256_of(path),
                "model_revision": "demo@1",
                "addresses": JobAddresses(
                    audio=address(path.name, "read"),
                    result_read=address("result.json", "read"),
                    result_create=address("result.json", "create"),
                    claim_read=address(claim, "read"),
                    claim_create=address(claim, "create"),
                    claim_beat=address(claim, "write"),
                    partial_write=address(f"partial-{attempt}.json", "write"),
                    partial_read=(
                        address(f"partial-{attempt - 1}.json", "read") if attempt > 1 else None
                    ),
                ),
            }
            return JobRequest(**(fields | changes))

        def claim(attempt=1):
            return Lease.model_validate_json(storage.read(f"{folder}/claim-{attempt}.json"))

        def result():
            body = storage.read(f"{folder}/result.json")
            return None if body is None else JobResult.model_validate_json(unpacked(body))

        return SimpleNamespace(
            request=request,
            payload=lambda *given, **more: request(*given, **more).model_dump(mode="json"),
            claim=claim,
            result=result,
            has=lambda name: storage.head(f"{folder}/{name}") is not None,
            audio=path,
            storage=storage,
        )

    return make
