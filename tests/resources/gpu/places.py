"""Where each backend runs in tests: the real thing, or a server of its own on loopback.

Each place is a context manager that yields the settings that set the backend up, and whether what
a submission was given to can go on with it.
"""

import asyncio
import socket
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gpu_job.contract import Address, JobOptions, JobRequest, Speakers
from gpu_job.contract.process_identity import is_known_dead
from resources.demo_models import unpack_demo_models
from resources.gpu.backends import aws_gpu, gcp_gpu
from resources.gpu.backends import runpod as runpod_module
from resources.gpu.batch_machines.time_sources import Time as MachineTime
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.batch_ids import batched
from resources.gpu.runpod.client import Time
from tests.fake_aws_batch import FakeAwsBatch
from tests.fake_gcp_batch import FakeGcpBatch
from tests.fake_openai import FakeOpenAI
from tests.fake_pyannote_ai import ENDLESS_SPEAKERS, FakePyannoteAi
from tests.fake_runpod import FakeRunPod

from .conformance import SECRET
from .conftest import FakeWorker

TIMES_AS_FAST = 50
WAIT_SECONDS = 120  # for machines that have a lot else to do


@contextmanager
def this_machine(_monkeypatch):
    yield {"diarizer": "none"}, _is_alive


@contextmanager
def endpoint(monkeypatch):
    """An endpoint with a worker that computes nothing; its time goes faster than ours."""
    with _endpoint(monkeypatch, seen_by="status") as runpod:
        running = {"IN_QUEUE", "IN_PROGRESS"}
        yield runpod.settings, lambda one: runpod.jobs[one.provider_id].status in running


@contextmanager
def batches_of_an_endpoint(monkeypatch):
    """The same with batch jobs, which go on until they are cancelled."""
    with _endpoint(monkeypatch, seen_by="batch-requests") as runpod:

        def is_at_work(submission):
            return runpod.batches.all[batched(submission.provider_id).batch].status != "CANCELLED"

        yield runpod.settings | {"runpod_batch_jobs": True}, is_at_work


@contextmanager
def _endpoint(monkeypatch, seen_by):
    """seen_by: the call with which progress is read."""

    def do(input_, tell):
        if input_["options"]["hotwords"]:  # an endless job
            runpod.released.wait(WAIT_SECONDS)
            return {"error": "the endpoint is gone"}
        names = {"job": input_["job"], "attempt": input_["attempt"]}
        tell(names | {"audio_seconds_done": 4.0, "audio_seconds": 8.0})
        seen = runpod.count(seen_by) + 2  # the first of them is answered when the second comes
        while runpod.count(seen_by) < seen and not runpod.released.wait(0.01):
            pass
        FakeWorker(JobRequest.model_validate(input_)).write_result()
        return {"output": names | {"state": "done"}}

    quick = partial(RunPodBackend, time_=Time(_clock, _sleep))
    monkeypatch.setattr(runpod_module, "RunPodBackend", quick)
    with FakeRunPod(SECRET) as runpod:
        runpod.work(do)
        yield runpod


@contextmanager
def queue_of_aws_batch(monkeypatch):
    """A queue whose machines run real workers; time goes faster than theirs."""
    _quicken(monkeypatch, aws_gpu)
    with FakeAwsBatch(unpack_demo_models(Path("models").absolute())) as batch:
        yield batch.settings | {"aws_secret_access_key": SECRET}, batch.is_at_work


@contextmanager
def project_of_gcp_batch(monkeypatch):
    """Two regions of GCP Batch whose machines run real workers; time goes faster than theirs."""
    _quicken(monkeypatch, gcp_gpu)
    models = unpack_demo_models(Path("models").absolute())
    with FakeGcpBatch(models, regions=("us-central1", "europe-west4"), token=SECRET) as batch:
        yield batch.settings, batch.is_at_work


@contextmanager
def api(_monkeypatch):
    """An API with a worker of this machine that calls it in pieces of two seconds."""
    with FakeOpenAI(key=SECRET) as openai:
        openai.hold = lambda heard: "endless" in heard.fields.get("prompt", [""])[0]
        yield openai.settings | {"diarizer": "none", "openai_max_seconds": 2}, _is_alive


@contextmanager
def pyannote_ai(_monkeypatch):
    """The service on loopback, called by real workers of this machine."""
    with FakePyannoteAi(SECRET) as service:
        yield service.settings, _is_alive


PLACES = {
    "local": this_machine,
    "runpod": endpoint,
    "aws_gpu": queue_of_aws_batch,
    "gcp_gpu": project_of_gcp_batch,
    "openai": api,
    "pyannote_ai": pyannote_ai,
}
VARIANTS = {"runpod with batch jobs": ("runpod", batches_of_an_endpoint)}


@contextmanager
def waiting_for_audio():
    """Makes the same job; an endless one waits for audio from a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        def wait(request):
            if not request.options.hotwords:
                return request
            audio = Address(method="GET", url=f"http://127.0.0.1:{port}/audio.wav")
            addresses = request.addresses.model_copy(update={"audio": audio})
            return request.model_copy(update={"addresses": addresses})

        yield wait


@contextmanager
def finding_speakers_alone():
    """Makes the same job for the speakers alone; an endless one stays endless."""
    yield _speakers_of


def _speakers_of(request):
    endless = Speakers(exact=ENDLESS_SPEAKERS) if request.options.hotwords else Speakers()
    options = JobOptions(
        model="",
        task="diarize",
        diarizer="pyannote_ai",
        diarization_model="precision-2",
        speakers=endless,
    )
    return request.model_copy(update={"options": options})


# how a job of the words becomes one that the place can do, by backend
REQUESTS = {
    "aws_gpu": waiting_for_audio,
    "gcp_gpu": waiting_for_audio,
    "pyannote_ai": finding_speakers_alone,
}


def _is_alive(submission):
    return not is_known_dead(submission.place)


def _clock():
    return time.monotonic() * TIMES_AS_FAST


async def _sleep(seconds):
    await asyncio.sleep(seconds / TIMES_AS_FAST)


def _quicken(monkeypatch, module):
    opened = partial(module.open_backends, time_=MachineTime(_clock, _sleep))
    monkeypatch.setattr(module, "open_backends", opened)
