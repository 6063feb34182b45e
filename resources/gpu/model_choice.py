"""Which model MODEL=auto is: decided once by the settings, so that a job's identity has a name."""

import ctypes
import sys
from functools import lru_cache

from pipelines.settings import Settings
from pipelines.speech_models import AUTO, ON_CPU, ON_CUDA

from .registry import has_remote

_CUDA_LIBRARY = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


def model_of(settings: Settings) -> str:
    """MODEL, or what 'auto' stands for here: never 'auto'."""
    return _auto(settings) if settings.model == AUTO else settings.model


@lru_cache(maxsize=16)
def _auto(settings: Settings) -> str:
    """By where jobs go first. Workers of a cloud are paid for their card; one here may have none.

    All backends get the same model: whichever takes the job, it is one job and one result.
    """
    elsewhere = settings.primary_backend != "local" and has_remote(settings)
    return ON_CUDA if elsewhere or has_cuda(settings.device) else ON_CPU


@lru_cache(maxsize=4)
def has_cuda(device: str) -> bool:
    """Whether a worker here would compute on a card: as its driver says, and nobody forbids.

    cuInit obeys CUDA_VISIBLE_DEVICES, as the worker will. No CUDA library is needed but the
    driver's own, and nothing is left on the card.
    """
    name = _CUDA_LIBRARY.get(sys.platform)
    if device == "cpu" or name is None:
        return False
    try:
        driver = ctypes.CDLL(name)
        count = ctypes.c_int(0)
        found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):
        return False
    return found and count.value > 0
