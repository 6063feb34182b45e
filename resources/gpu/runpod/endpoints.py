"""The endpoints of the settings: RUNPOD_ENDPOINT_ID with RUNPOD_GPU, and RUNPOD_ENDPOINTS."""

import re
from dataclasses import dataclass

from escriba.settings import Settings, SettingsError

_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """gpu: its name in the price book."""

    gpu: str
    id: str


def endpoints_of(settings: Settings) -> list[Endpoint]:
    """The endpoints, one for each GPU, since RunPod bills by endpoint.

    Raises:
        SettingsError: names the setting, and what is wrong with it.
    """
    found = []
    if settings.runpod_endpoint_id:
        id_ = _checked(settings.runpod_endpoint_id.strip(), "RUNPOD_ENDPOINT_ID")
        found.append(Endpoint(_gpu(settings.runpod_gpu, "RUNPOD_GPU"), id_))
    for pair in filter(None, map(str.strip, settings.runpod_endpoints.split(","))):
        gpu, equals, id_ = pair.partition("=")
        if not equals:
            raise SettingsError(
                f"RUNPOD_ENDPOINTS: {pair!r} is not a pair. Write gpu=id,gpu=id, for example "
                "a6000=abc123."
            )
        id_ = _checked(id_.strip(), "RUNPOD_ENDPOINTS")
        found.append(Endpoint(_gpu(gpu, "RUNPOD_ENDPOINTS"), id_))
    _check_twice([endpoint.gpu for endpoint in found], "GPU")
    _check_twice([endpoint.id for endpoint in found], "endpoint")
    if found and not settings.runpod_api_key.get_secret_value():
        raise SettingsError(
            "RUNPOD_API_KEY is empty, but an endpoint is set. Set a key from RunPod's console."
        )
    return found


def _gpu(name: str, setting: str) -> str:
    if not name.strip():
        raise SettingsError(f"{setting}: name a GPU as in the price book, for example l4.")
    return name.strip()


def _checked(id_: str, setting: str) -> str:
    if not _ID.fullmatch(id_):
        raise SettingsError(
            f"{setting}: {id_!r} is not an endpoint id. Use the letters and digits that "
            "`escriba deploy runpod` prints."
        )
    return id_


def _check_twice(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"RUNPOD_ENDPOINTS: the {what} {name!r} is set twice, including "
                "RUNPOD_ENDPOINT_ID. Set one endpoint for each GPU."
            )
