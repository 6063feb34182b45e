"""RunPod's catalog: `price.serverless` of each GPU type, in USD an hour."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

from escriba.backend_names import RUNPOD
from escriba.billing.price_book import PriceBook
from escriba.billing.price_changes import PriceOffer
from escriba.errors import BackendUnavailableError
from escriba.settings import Settings
from resources.gpu.runpod.client import Time, open_http
from resources.gpu.runpod.control import Control
from resources.gpu.runpod.deployment import GPU_TYPES

_SECONDS = 3600


def serverless_offers(settings: Settings, book: PriceBook, _now: datetime) -> list[PriceOffer]:
    """Offers for the GPU types of endpoints; for a name with several types, the highest price.

    Raises:
        BackendUnavailableError: no key is set, or RunPod does not answer.
    """
    known = {price.sku for price in book.prices if price.backend == RUNPOD}
    if not known:
        return []
    if not settings.runpod_api_key.get_secret_value():
        raise BackendUnavailableError("RunPod prices are skipped: set RUNPOD_API_KEY.")
    prices = {one.get("id"): _serverless(one) for one in asyncio.run(_gpu_types(settings))}
    offers = []
    for gpu, types in GPU_TYPES.items():
        asked = [price for name in types if (price := prices.get(name))]
        if gpu in known and asked:
            price = max(asked) / _SECONDS
            offers.append(PriceOffer(RUNPOD, gpu, "gpu_second", price, "RunPod's catalog"))
    return offers


async def _gpu_types(settings: Settings) -> list[dict[str, Any]]:
    key = settings.runpod_api_key.get_secret_value()
    async with open_http(settings.runpod_control_url, key) as http:
        return await Control(http, key, Time()).gpu_types()


def _serverless(gpu: dict[str, Any]) -> Decimal | None:
    price = gpu.get("price")
    usd = price.get("serverless") if isinstance(price, dict) else None
    return Decimal(repr(usd)) if isinstance(usd, int | float) and usd > 0 else None
