"""RunPod's catalogue: `price.serverless` of each GPU type, in USD an hour."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

from pipelines.billing.catalogue import Offer
from pipelines.billing.prices import PriceBook
from pipelines.settings import Settings
from resources.failures import BackendUnavailableError
from resources.gpu.runpod.client import Time, open_http
from resources.gpu.runpod.control import Control
from resources.gpu.runpod.deployment import GPU_TYPES

_SECONDS = 3600


def serverless_offers(settings: Settings, book: PriceBook, _now: datetime) -> list[Offer]:
    """Of the GPU types that an endpoint may have; where one name has several, the dearest.

    Raises:
        BackendUnavailableError: no key is set, or RunPod does not answer.
    """
    known = {price.sku for price in book.prices if price.backend == "runpod"}
    if not known:
        return []
    if not settings.runpod_api_key.get_secret_value():
        raise BackendUnavailableError("RunPod is not asked: RUNPOD_API_KEY is empty.")
    prices = {one.get("id"): _serverless(one) for one in asyncio.run(_gpu_types(settings))}
    offers = []
    for gpu, types in GPU_TYPES.items():
        asked = [price for name in types if (price := prices.get(name))]
        if gpu in known and asked:
            price = max(asked) / _SECONDS
            offers.append(Offer("runpod", gpu, "gpu_second", price, "RunPod's catalogue"))
    return offers


async def _gpu_types(settings: Settings) -> list[dict[str, Any]]:
    key = settings.runpod_api_key.get_secret_value()
    async with open_http(settings.runpod_control_url, key) as http:
        return await Control(http, key, Time()).gpu_types()


def _serverless(gpu: dict[str, Any]) -> Decimal | None:
    price = gpu.get("price")
    told = price.get("serverless") if isinstance(price, dict) else None
    return Decimal(repr(told)) if isinstance(told, int | float) and told > 0 else None
