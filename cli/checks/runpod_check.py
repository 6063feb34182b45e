"""Checks that RunPod's endpoints match the settings."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from escriba.backend_names import RUNPOD
from escriba.settings import Settings, SettingsError

from .finding import Finding

if TYPE_CHECKING:
    from resources.gpu.runpod.deployment import Difference
    from resources.gpu.runpod.endpoints import Endpoint

_WHAT = "RunPod"
_DEPLOY = "Run `escriba deploy runpod` to review and apply the changes."


def runpod(settings: Settings) -> Iterator[Finding]:
    """Check key, endpoints, drift, health and prices; yields nothing without RunPod settings."""
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
        found = f"RunPod's workers cannot reach the bucket: it is a folder ({settings.bucket_url})"
        advice = "Set STORAGE_URL to a bucket: s3://, gs:// or az:// (docs/storage.md)."
        yield Finding(what=_WHAT, state="broken", found=found, advice=advice)
    if not endpoints:
        found = "a key is set, but no endpoint, so RunPod gets no jobs"
        advice = "Run `escriba deploy runpod` to create one, then set RUNPOD_ENDPOINT_ID."
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice)
    for endpoint in endpoints:
        yield from _prices(settings, endpoint)
        yield from asyncio.run(_endpoint(settings, endpoint))


async def _endpoint(settings: Settings, endpoint: "Endpoint") -> list[Finding]:
    """Return what both of RunPod's APIs report about one endpoint."""
    from escriba.errors import BackendUnavailableError
    from resources.gpu.runpod.client import Time, open_http
    from resources.gpu.runpod.control import Control

    key = settings.runpod_api_key.get_secret_value()
    try:
        async with open_http(settings.runpod_control_url, key) as http:
            control = Control(http, key, Time())
            deployed = await control.endpoint(endpoint.id)
            gpu_types = await control.gpu_types()
    except BackendUnavailableError as error:
        advice = "Check the key and the network. Jobs may run nevertheless."
        return [Finding(what=_WHAT, state="broken", found=str(error), advice=advice)]
    if deployed is None:
        found = f"the account has no endpoint {endpoint.id} (expected with {endpoint.gpu})"
        advice = "Correct RUNPOD_ENDPOINT_ID or RUNPOD_ENDPOINTS, or run `escriba deploy runpod`."
        return [Finding(what=_WHAT, state="broken", found=found, advice=advice)]
    health = await _health(settings, endpoint)
    stock = _stock(settings, endpoint, gpu_types)
    return [health, *stock, *_drift(settings, endpoint, deployed, gpu_types)]


async def _health(settings: Settings, endpoint: "Endpoint") -> Finding:
    from resources.gpu.runpod.backend import RunPodBackend

    backend = RunPodBackend(settings, endpoint)
    try:
        health = await backend.health()
    finally:
        await backend.close()
    state = {"well": "well", "degraded": "odd", "down": "broken"}[health.state]
    found = f"endpoint {endpoint.id} ({endpoint.gpu}): {health.reason or 'accepts jobs'}"
    advice = "" if state == "well" else "See its workers and their logs in RunPod's console."
    return Finding.model_validate({"what": _WHAT, "state": state, "found": found, "advice": advice})


def _stock(
    settings: Settings, endpoint: "Endpoint", gpu_types: list[dict[str, Any]]
) -> Iterator[Finding]:
    """Report a GPU that RunPod has none or few of; nothing if its catalog does not say."""
    from resources.gpu.runpod.deployment import regions_of
    from resources.gpu.runpod.stock import stock_of

    regions = regions_of(settings)
    stock = stock_of(endpoint.gpu, regions, gpu_types)
    where = f"in {', '.join(regions)}" if regions else "in any data center"
    if stock == "NONE":
        found = f"RunPod has no {endpoint.gpu} for serverless {where} now, so new workers wait"
        advice = "Allow more data centers in RUNPOD_REGIONS, or add a GPU to RUNPOD_ENDPOINTS."
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice)
    elif stock is not None:
        found = f"RunPod's stock of {endpoint.gpu} {where} is {stock.lower()}"
        yield Finding(what=_WHAT, state="well", found=found)


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
    if not settings.runpod_image:  # Escriba did not create the endpoint
        del wanted["image"]
        found = "RUNPOD_IMAGE is not set, so the endpoint's image cannot be checked"
        advice = "Set it to this version's image (docs/worker-image.md)."
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice)
    by_setting = {one.setting: one for one in differences(wanted, deployed)}
    workers = by_setting.pop("workers.max", None)
    if workers is not None:
        yield _max_workers(endpoint, workers)
    if by_setting:
        lines = "; ".join(f"{n} is {o.deployed}, not {o.wanted}" for n, o in by_setting.items())
        found = f"endpoint {endpoint.id} differs from the settings: {lines}"
        yield Finding(what=_WHAT, state="odd", found=found, advice=_DEPLOY)
    elif workers is None:
        found = f"endpoint {endpoint.id} matches the settings"
        yield Finding(what=_WHAT, state="well", found=found)


def _max_workers(endpoint: "Endpoint", workers: "Difference") -> Finding:
    """Report lowered max workers: RunPod sets 2 after 3 idle days, and 0 after 7."""
    found = f"endpoint {endpoint.id} allows at most {workers.deployed} workers"
    why = {
        "0": ", so no job runs (RunPod does this after 7 idle days)",
        "2": " (RunPod does this after 3 idle days)",
    }
    return Finding(
        what=_WHAT,
        state="broken" if workers.deployed == "0" else "odd",
        found=f"{found}, not {workers.wanted}{why.get(workers.deployed, '')}",
        advice=_DEPLOY,
    )


def _prices(settings: Settings, endpoint: "Endpoint") -> Iterator[Finding]:
    from escriba.billing.price_book import PriceBookError
    from resources.price_book import open_price_book

    try:
        open_price_book(settings).at(RUNPOD, endpoint.gpu, datetime.now(UTC))
    except PriceBookError as error:
        advice = "Use the GPU's name from the price book in RUNPOD_GPU or RUNPOD_ENDPOINTS."
        yield Finding(what=_WHAT, state="broken", found=str(error), advice=advice)
