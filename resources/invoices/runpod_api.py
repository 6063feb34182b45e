"""What RunPod billed, asked of its API: complete days of the endpoints that are set."""

import asyncio
import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.billing.currencies import ExchangeRates
from pipelines.settings import Settings
from resources.failures import BackendUnavailableError
from resources.gpu.runpod.client import Time, open_http
from resources.gpu.runpod.control import Control
from resources.gpu.runpod.endpoints import endpoints_of
from resources.storage.base import Storage

from .importing import Delivery, Imported, import_invoices


def can_be_asked(settings: Settings) -> bool:
    """Whether there is a key and an endpoint.

    Raises:
        SettingsError: one of them is wrong.
    """
    return bool(settings.runpod_api_key.get_secret_value() and endpoints_of(settings))


def fetch_bill(
    settings: Settings, storage: Storage, rates: ExchangeRates, since: date, now: datetime
) -> Imported:
    """Of the days from `since` up to yesterday (UTC); what is known already adds nothing.

    Raises:
        BackendUnavailableError: nothing is set, or RunPod does not answer; says why.
        InvoiceError: an answer that cannot be read, or hours of these days were imported before.
        SettingsError: an endpoint's name is none.
        StorageError: a file of the ledger is damaged.
    """
    if not can_be_asked(settings):
        raise BackendUnavailableError(
            f"RunPod is not asked: set {' and '.join(_missing(settings))}."
        )
    records = asyncio.run(_records(settings, _midnight(since), _midnight(now.date())))
    with TemporaryDirectory(prefix="escriba-bill-") as folder:
        answer = Path(folder, "RunPod's answer.json")
        answer.write_text(json.dumps({"records": records}), encoding="utf-8")
        return import_invoices(storage, [answer], rates, Delivery("runpod", "day"), now)


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
