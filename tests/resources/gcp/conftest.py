import asyncio
from types import SimpleNamespace

import pytest

from escriba.settings import load_settings
from resources.gpu.batch_machines.provider import MachineJob
from resources.gpu.batch_machines.time_sources import Time
from resources.gpu.gcp.access_token import access_token
from resources.gpu.gcp.batch_options import batch_options
from resources.gpu.gcp.provider import GcpMachines
from tests.fake_gcp_batch import FakeGcpBatch

SIGNED = "https://bucket.example/manifest.json?X-Goog-Signature=0123456789"
REGIONS = ("us-central1", "europe-west4", "us-east1")


class Clock:
    """Time that only sleeping and tests advance."""

    def __init__(self):
        self.now, self.slept = 1000.0, []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def time_(clock):
    return Time(clock, clock.sleep, lambda: 1.0)


@pytest.fixture
def gcp():
    """A project with three regions, none of which has a machine."""
    with FakeGcpBatch(regions=REGIONS) as fake:
        yield fake


@pytest.fixture
def provider_of(time_):
    """Makes a provider on a fake, as each process has its own."""

    def make(fake, **changes):
        settings = load_settings(**(fake.settings | changes))
        (options,) = batch_options(settings)
        return GcpMachines(options, settings.gcp_batch_url, access_token(settings), time_)

    return make


@pytest.fixture
def run(gcp, provider_of):
    """Runs a coroutine function with a provider, which is closed at the end."""

    def run(use, **changes):
        async def main():
            provider = provider_of(gcp, **changes)
            try:
                return await use(provider)
            finally:
                await provider.close()

        return asyncio.run(main())

    return run


@pytest.fixture
def job():
    """Makes machine jobs by number."""

    def make(number=1, **changes):
        values = {
            "name": f"escriba-{number:040}",
            "manifest_url": SIGNED,
            "run_limit_seconds": 3_600,
            "queue_limit_seconds": 1_800,
        }
        return MachineJob(**(values | changes))

    return make


@pytest.fixture
def status_of():
    """Makes a job resource as Google sends it."""

    def make(state, *texts, counts=None):
        events = [
            {"description": text, "eventTime": f"2026-11-30T12:00:{i:02}Z"}
            for i, text in enumerate(texts)
        ]
        groups = {"group0": {"counts": counts or {}}}
        status = {"state": state, "statusEvents": events, "taskGroups": groups}
        return {"name": "projects/1/locations/us-central1/jobs/j", "status": status}

    return make


@pytest.fixture
def told():
    """All that may be printed of an exception, its causes and contexts too."""

    def text(error):
        parts = []
        while error is not None:
            parts += [repr(error), str(error), repr(vars(error))]
            error = error.__cause__ or error.__context__
        return " ".join(parts)

    return SimpleNamespace(of=text).of
