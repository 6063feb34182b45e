"""RunPod's bill from its API: complete days of the endpoints in the settings."""

import asyncio
import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from escriba.billing.exchange_rates import ExchangeRates
from escriba.errors import BackendUnavailableError
from escriba.settings import Settings
from resources.gpu.runpod.client import Time, open_http
from resources.gpu.runpod.control import Control
from resources.gpu.runpod.endpoints import endpoints_of
from resources.storage.base import Storage

from .import_invoices import DeliveryFiles, ImportResult, import_invoices


def has_api_access(settings: Settings) -> bool:
    """Whether a key and an endpoint are set.

    Raises:
        SettingsError: one of them is wrong.
    """
    return bool(settings.runpod_api_key.get_secret_value() and endpoints_of(settings))


def fetch_bill(
    settings: Settings, storage: Storage, rates: ExchangeRates, since: date, now: datetime
) -> ImportResult:
    """Import the days from `since` up to yesterday (UTC); idempotent.

    Raises:
        BackendUnavailableError: a setting is missing, or RunPod does not answer; says why.
        InvoiceError: an answer is unreadable, or hours of these days were imported before.
        SettingsError: an endpoint id is not valid.
        StorageError: a file of the ledger is damaged.
    """
    if not has_api_access(settings):
        raise BackendUnavailableError(
            f"RunPod's bill cannot be requested. Set {' and '.join(_missing(settings))}."
        )
    records = asyncio.run(_records(settings, _midnight(since), _midnight(now.date())))
    with TemporaryDirectory(prefix="escriba-bill-") as folder:
        answer = Path(folder, "RunPod's answer.json")
        answer.write_text(json.dumps({"records": records}), encoding="utf-8")
        return import_invoices(storage, [answer], rates, DeliveryFiles("runpod", "day"), now)


def _missing(settings: Settings) -> list[str]:
    has_key = bool(settings.runpod_api_key.get_secret_value())
    endpoint = [] if settings.runpod_endpoint_id else ["RUNPOD_ENDPOINT_ID"]
    return endpoint if has_key else ["RUNPOD_API_KEY", *endpoint]


async def _records(settings: Settings, since: datetime, until: datetime) -> list[dict[str, Any]]:
    key = settings.runpod_api_key.get_secret_value()
    if since >= until:
        return []
    async with open_http(settings.runpod_control_url, key) as http:
        control = Control(http, key, Time())
        bills = [await control.bill(one.id, since, until) for one in endpoints_of(settings)]
    return [record for bill in bills for record in bill]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
