"""Whether RunPod is as the settings say, as `escriba doctor` tells it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.settings import Settings, SettingsError

from .findings import Finding

if TYPE_CHECKING:
    from resources.gpu.runpod.deployment import Difference
    from resources.gpu.runpod.endpoints import Endpoint

_WHAT = "RunPod"
_DEPLOY = "`escriba deploy runpod` shows the differences and mends them."


def runpod(settings: Settings) -> Iterator[Finding]:
    """Key, endpoints, drift, health and prices; nothing where RunPod is not set up."""
    named = settings.runpod_endpoint_id or settings.runpod_endpoints
    if not named and not settings.runpod_api_key.get_secret_value():
        return
    from resources.gpu.runpod.endpoints import endpoints_of

    try:
        endpoints = endpoints_of(settings)
    except SettingsError as error:
        yield Finding(what=_WHAT, state="broken", found=str(error))
        return
    if endpoints and urlsplit(settings.bucket_url).scheme == "file":
        found = f"the bucket is a folder ({settings.bucket_url}), which no worker of RunPod reaches"
        advice = "Set STORAGE_URL to a bucket: s3://, gs:// or az:// (docs/storage.md)."
        yield Finding(what=_WHAT, state="broken", found=found, advice=advice)
    if not endpoints:
        found = "a key is set, and no endpoint: no job goes there"
        advice = "`escriba deploy runpod` makes one; then set RUNPOD_ENDPOINT_ID."
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice)
    for endpoint in endpoints:
        yield from _prices(settings, endpoint)
        yield from asyncio.run(_examined(settings, endpoint))


async def _examined(settings: Settings, endpoint: "Endpoint") -> list[Finding]:
    """What both of RunPod's APIs say of one endpoint."""
    from resources.failures import BackendUnavailableError
    from resources.gpu.runpod.backend import RunPodBackend
    from resources.gpu.runpod.client import Time, open_http
    from resources.gpu.runpod.control import Control

    key = settings.runpod_api_key.get_secret_value()
    try:
        async with open_http(settings.runpod_control_url, key) as http:
            control = Control(http, key, Time())
            deployed = await control.endpoint(endpoint.id)
            gpu_types = await control.gpu_types()
    except BackendUnavailableError as error:
        advice = "Check the key and the network; jobs may run all the same."
        return [Finding(what=_WHAT, state="broken", found=str(error), advice=advice)]
    if deployed is None:
        found = f"the account has no endpoint {endpoint.id}, which should have a {endpoint.gpu}"
        advice = "Correct RUNPOD_ENDPOINT_ID or RUNPOD_ENDPOINTS, or `escriba deploy runpod`."
        return [Finding(what=_WHAT, state="broken", found=found, advice=advice)]
    backend = RunPodBackend(settings, endpoint)
    try:
        health = await backend.health()
    finally:
        await backend.close()
    state = {"well": "well", "degraded": "odd", "down": "broken"}[health.state]
    said = health.reason or "takes jobs"
    found = f"endpoint {endpoint.id} ({endpoint.gpu}): {said}"
    advice = "" if state == "well" else "The console shows its workers and their logs."
    known = Finding.model_validate(
        {"what": _WHAT, "state": state, "found": found, "advice": advice}
    )
    return [known, *_drift(settings, endpoint, deployed, gpu_types)]


def _drift(
    settings: Settings,
    endpoint: "Endpoint",
    deployed: dict[str, Any],
    gpu_types: list[dict[str, Any]],
) -> Iterator[Finding]:
    from resources.gpu.runpod.deployment import differences, wanted_endpoint

    try:
        wanted = wanted_endpoint(settings, endpoint.gpu, gpu_types)
    except SettingsError as error:
        yield Finding(what=_WHAT, state="odd", found=str(error))
        return
    if not settings.runpod_image:  # an endpoint that somebody else made; its image is theirs
        del wanted["image"]
        found = "RUNPOD_IMAGE is not set: whether the endpoint runs the right image is unknown"
        advice = "Set it to the image of this version (docs/worker-image.md)."
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice)
    found_ones = {one.setting: one for one in differences(wanted, deployed)}
    workers = found_ones.pop("workers.max", None)
    if workers is not None:
        yield _fallen(endpoint, workers)
    if found_ones:
        lines = "; ".join(f"{n} is {o.deployed}, not {o.wanted}" for n, o in found_ones.items())
        found = f"endpoint {endpoint.id} differs from the settings: {lines}"
        yield Finding(what=_WHAT, state="odd", found=found, advice=_DEPLOY)
    elif workers is None:
        found = f"endpoint {endpoint.id} is set up as the settings say"
        yield Finding(what=_WHAT, state="well", found=found)


def _fallen(endpoint: "Endpoint", workers: "Difference") -> Finding:
    """RunPod lowers max workers to 2 after 3 idle days, and to 0 after 7."""
    found = f"endpoint {endpoint.id} may have {workers.deployed} workers at most"
    why = {"0": ": no job ever runs (7 idle days do that)", "2": " (3 idle days do that)"}
    return Finding(
        what=_WHAT,
        state="broken" if workers.deployed == "0" else "odd",
        found=f"{found}, not {workers.wanted}{why.get(workers.deployed, '')}",
        advice=_DEPLOY,
    )


def _prices(settings: Settings, endpoint: "Endpoint") -> Iterator[Finding]:
    from pipelines.billing.prices import PriceBookError
    from pipelines.price_book import open_price_book

    try:
        open_price_book(settings).at("runpod", endpoint.gpu, datetime.now(UTC))
    except PriceBookError as error:
        advice = "Name the GPU as the price book does, in RUNPOD_GPU or RUNPOD_ENDPOINTS."
        yield Finding(what=_WHAT, state="broken", found=str(error), advice=advice)
