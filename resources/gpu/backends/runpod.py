"""The runpod backend: RunPod's serverless endpoints, one for each kind of GPU."""

from escriba.settings import Settings
from resources.gpu.backend import Backend
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.endpoints import endpoints_of

NEEDS = "RUNPOD_API_KEY and RUNPOD_ENDPOINT_ID"


def is_set_up(settings: Settings) -> bool:
    """Whether an endpoint is set."""
    return bool(endpoints_of(settings))


def open_backends(settings: Settings) -> list[Backend]:
    """One backend for each endpoint in the settings; makes no request.

    Raises:
        SettingsError: RUNPOD_ENDPOINTS cannot be read, or the key is missing.
    """
    return [RunPodBackend(settings, endpoint) for endpoint in endpoints_of(settings)]
