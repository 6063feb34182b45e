import asyncio
from pathlib import Path

import pytest

from escriba.settings import load_settings
from resources.demo_models import unpack_demo_models
from resources.gpu.aws.client import BatchClient
from resources.gpu.aws.provider import AwsBatchProvider
from resources.gpu.batch_machines.provider import MachineJob
from resources.gpu.batch_machines.time_sources import Time
from tests.fake_aws_batch import FakeAwsBatch

KEY = "AKIASECRETSECRET"
PATIENCE_SECONDS = 120  # for machines that have a lot else to do
SIGNED = "https://bucket.example/manifest.json?X-Amz-Signature=0123456789"


class Slept:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.seconds, self.now = [], 1_000.0

    async def sleep(self, seconds):
        self.seconds.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def long(self):
        """Those that are no pace of requests."""
        return [seconds for seconds in self.seconds if seconds > 0.3]

    def time(self):
        return Time(lambda: self.now, self.sleep, lambda: 1.0)


@pytest.fixture
def slept():
    return Slept()


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The models of the worker's image."""
    return unpack_demo_models(Path(tmp_path_factory.mktemp("models")))


@pytest.fixture
def batch(models):
    """AWS Batch in a region where EC2 has no machine."""
    with FakeAwsBatch(models, capacity=0, key=KEY) as fake:
        yield fake


@pytest.fixture
def provider_of(batch, slept):
    """Makes the provider of an orchestrator of its own."""

    def make(queue="spot", **changes):
        client = BatchClient(load_settings(**(batch.settings | changes)), slept.time())
        return AwsBatchProvider(client, queue, "worker")

    return make


@pytest.fixture
def machine_job():
    """Makes a manifest's job."""

    def make(name="manifest-1", url=SIGNED, **labels):
        return MachineJob(name, url, 3_600, 21_600, labels)

    return make


@pytest.fixture
def ask(provider_of):
    """Asks the provider of an orchestrator of its own, which closes it then."""

    def ask_(question, queue="spot", **changes):
        async def answer(provider):
            try:
                return await asyncio.wait_for(question(provider), PATIENCE_SECONDS)
            finally:
                await provider.close()

        return asyncio.run(answer(provider_of(queue, **changes)))

    return ask_


@pytest.fixture
def submit(ask, machine_job):
    """Submits a job as an orchestrator of its own; its id."""

    def submit_(job=None, **changes):
        job = job or machine_job()
        return ask(lambda provider: provider.submit(job), **changes)

    return submit_
