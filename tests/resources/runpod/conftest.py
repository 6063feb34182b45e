import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from escriba.settings import load_settings
from gpu_job.contract import Address, JobAddresses, JobLimits, JobOptions, JobRequest, SpeechRegion
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.client import Time
from resources.gpu.runpod.endpoints import endpoints_of
from tests.fake_runpod import FakeRunPod
from tests.faults.virtual_loop import VirtualLoop

KEY = "rpa_SECRETSECRETSECRET"
SIGNED = "https://bucket.example/audio.flac?X-Amz-Signature=0123456789"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Alone:
    """The line of a single loop: its time advances immediately."""

    def now(self):
        return 0.0

    def wait(self, until):
        return until


@pytest.fixture
def in_virtual_time():
    """Runs a coroutine in no time; `Time` is given to what it makes."""

    def run(make):
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(Alone())) as runner:
            clock = runner.get_loop().time
            return runner.run(make(Time(clock, asyncio.sleep, lambda: 1.0, lambda: NOON)))

    return run


@pytest.fixture
def runpod():
    """An endpoint that wants a key."""
    with FakeRunPod(KEY) as fake:
        yield fake


PATIENCE_SECONDS = 100


class Slept:
    """A clock that only sleeping moves; sleeps of minutes do not end: no test waits for them."""

    def __init__(self):
        self.seconds = []
        self.now = 0.0

    async def sleep(self, seconds):
        if seconds > PATIENCE_SECONDS:
            await asyncio.Event().wait()
        self.seconds.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def long(self):
        """Those that are no pace."""
        return [seconds for seconds in self.seconds if seconds > 0.3]

    def time(self):
        return Time(lambda: self.now, self.sleep, lambda: 1.0, lambda: NOON)


@pytest.fixture
def slept():
    return Slept()


@pytest.fixture
def backend_of(runpod, slept):
    """A backend on that endpoint that waits without taking time."""

    def make(**changes):
        settings = load_settings(**(runpod.settings | changes))
        return RunPodBackend(settings, endpoints_of(settings)[0], slept.time())

    return make


@pytest.fixture
def new_request():
    """A request as the engine makes it, with presigned addresses."""
    numbers = itertools.count(1)

    def make(regions=1, **changes):
        read = Address(method="GET", url=SIGNED)
        write = Address(method="PUT", url=SIGNED, headers={"If-None-Match": "*"})
        fields = {
            "job": f"{next(numbers):064x}",
            "attempt": 1,
            "nonce": "abcdef",
            "options": JobOptions(model="large-v3-turbo"),
            "regions": tuple(
                SpeechRegion(start_ms=n * 8_640, end_ms=n * 8_640 + 8_000) for n in range(regions)
            ),
            "audio_ms": 86_400_000,
            "audio_sha256": "d" * 64,
            "model_revision": "large-v3-turbo@1",
            "addresses": JobAddresses(
                audio=read,
                result_read=read,
                result_create=write,
                claim_read=read,
                claim_create=write,
                claim_beat=write,
            ),
            "limits": JobLimits(queue_seconds=21_600, run_seconds=7_200),
        }
        return JobRequest(**(fields | changes))

    return make
