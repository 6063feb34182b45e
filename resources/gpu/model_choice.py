"""The model behind MODEL=auto: the settings decide it, so that a job's identity names a model."""

import ctypes
import sys
from functools import lru_cache

from escriba.backend_names import LOCAL
from escriba.model_names import AUTO, ON_CPU, ON_CUDA
from escriba.settings import Settings

from .registry import has_remote

_CUDA_LIBRARY = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


def model_of(settings: Settings) -> str:
    """MODEL, or the model that 'auto' selects here; never 'auto'."""
    return _auto(settings) if settings.model == AUTO else settings.model


@lru_cache(maxsize=16)
def _auto(settings: Settings) -> str:
    """Decide by the first choice of backend: cloud workers have a GPU, this machine may not.

    All backends get the same model, so that a job has one identity and one result on any of them.
    """
    elsewhere = settings.primary_backend != LOCAL and has_remote(settings)
    return ON_CUDA if elsewhere or has_cuda(settings.device) else ON_CPU


@lru_cache(maxsize=4)
def has_cuda(device: str) -> bool:
    """Whether a worker here would use a GPU, by the driver and by DEVICE.

    cuInit obeys CUDA_VISIBLE_DEVICES, as the worker does. It needs only the driver's own library
    and allocates nothing on the GPU.
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
