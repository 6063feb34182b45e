"""The environment of a worker process that calls an API."""

import asyncio
import sys

from escriba.settings import Settings, child_environment
from resources.demo_models import unpack_demo_models
from resources.diarizer_weights import voices_folder
from resources.gpu.fetch_models import fetched_folder


def worker_python(settings: Settings) -> str:
    """The interpreter of workers on this machine."""
    return str(settings.local_worker_python or sys.executable)


async def worker_environment(settings: Settings, own: dict[str, str]) -> dict[str, str]:
    """What a worker needs on this machine for the speakers, and its API's own variables."""
    folder = await asyncio.to_thread(unpack_demo_models, settings.models_folder)
    shared = {
        "MODELS_FOLDER": str(folder),
        "FETCHED_MODELS": str(fetched_folder(settings)),
        "VOICES_FOLDER": str(voices_folder(settings.models_folder)),
        "DEVICE": "cpu",
        "DIARIZER": settings.diarizer,
        "DIARIZATION_MODEL": settings.diarization_model,
        "HUGGINGFACE_TOKEN": settings.huggingface_token.get_secret_value(),
        "CPU_THREADS": str(settings.local_cpu_threads),
    }
    return child_environment("worker") | shared | own
