"""Which endpoints are set: RUNPOD_ENDPOINT_ID with RUNPOD_GPU, and RUNPOD_ENDPOINTS."""

import re
from dataclasses import dataclass

from pipelines.settings import Settings, SettingsError

_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """gpu: its name in the price book."""

    gpu: str
    id: str


def endpoints_of(settings: Settings) -> list[Endpoint]:
    """Of one GPU there is one endpoint, since RunPod's bill goes by endpoint.

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
                f"RUNPOD_ENDPOINTS: {pair!r} is no pair: write gpu=id,gpu=id, for instance "
                "a6000=abc123."
            )
        id_ = _checked(id_.strip(), "RUNPOD_ENDPOINTS")
        found.append(Endpoint(_gpu(gpu, "RUNPOD_ENDPOINTS"), id_))
    _check_twice([endpoint.gpu for endpoint in found], "GPU")
    _check_twice([endpoint.id for endpoint in found], "endpoint")
    if found and not settings.runpod_api_key.get_secret_value():
        raise SettingsError(
            "RUNPOD_API_KEY: it is empty, and there is an endpoint: set a key of RunPod's console."
        )
    return found


def _gpu(name: str, setting: str) -> str:
    if not name.strip():
        raise SettingsError(f"{setting}: name a GPU as the price book does, for instance l4.")
    return name.strip()


def _checked(id_: str, setting: str) -> str:
    if not _ID.fullmatch(id_):
        raise SettingsError(
            f"{setting}: {id_!r} is no id of an endpoint: letters and digits, as "
            "`escriba deploy runpod` names it."
        )
    return id_


def _check_twice(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"RUNPOD_ENDPOINTS: the {what} {name!r} is there twice, RUNPOD_ENDPOINT_ID "
                "counted: each GPU has one endpoint."
            )
