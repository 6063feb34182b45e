"""The backends that the fault suite runs, by the kind of their provider."""

from escriba.billing.quotes import Capabilities
from gpu_job.contract import JobOptions
from resources.gpu.backends.local import LocalBackend
from resources.gpu.backends.openai import OpenaiBackend
from resources.gpu.backends.pyannote_ai import PyannoteAiBackend
from resources.gpu.batch_machines.backend import BatchMachinesBackend
from resources.gpu.batch_machines.gather_rules import GatherRules
from resources.gpu.batch_machines.time_sources import Time
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.endpoints import endpoints_of

from .machine_client import MachineClient

RUNPOD, MACHINES = "runpod", "batch_machines"
LOCAL, OPENAI, PYANNOTE_AI = "local", "openai", "pyannote_ai"
HERE = (LOCAL, OPENAI, PYANNOTE_AI)  # their workers are children of the orchestrator
SKU = "g5.xlarge"
RULES = GatherRules(
    most_jobs=100,
    most_wait_seconds=20.0,
    most_machines=10,
    lease_limit_seconds=14_400,
    start_seconds=20.0,
    jobs_at_once=500,
)


def _runpod(settings, _storage, time_):
    return [RunPodBackend(settings, one, time_) for one in endpoints_of(settings)]


def _machines(settings, storage, time_):
    """Under the name and price of AWS, as the fault suite's service is no cloud's own."""
    client, can = MachineClient(settings, time_), Capabilities(paid=True, third_party=True)
    times = Time(time_.clock, time_.sleep, time_.jitter)
    return [BatchMachinesBackend("aws_gpu", SKU, can, client, storage, RULES, times)]


def _here(made):
    return lambda settings, _storage, _time: [made(settings)]


BACKENDS = {
    RUNPOD: _runpod,
    MACHINES: _machines,
    LOCAL: _here(LocalBackend),
    OPENAI: _here(OpenaiBackend),
    PYANNOTE_AI: _here(PyannoteAiBackend),
}
_DEMO = JobOptions(model="demo", diarizer="none")
_SPEAKERS = JobOptions(
    model="", task="diarize", diarizer="pyannote_ai", diarization_model="precision-2"
)
OPTIONS = {
    RUNPOD: _DEMO,
    MACHINES: _DEMO,
    LOCAL: _DEMO,
    OPENAI: JobOptions(model="whisper-1", language="en", diarizer="none"),
    PYANNOTE_AI: _SPEAKERS,
}
