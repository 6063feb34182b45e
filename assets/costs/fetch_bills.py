"""Fetches the providers' bills of the last days, where they have an API for it."""

from datetime import datetime, timedelta

from escriba.billing.exchange_rates import ExchangeRateError, read_exchange_rates
from escriba.billing.invoice_rows import InvoiceError
from escriba.errors import BackendUnavailableError
from escriba.settings import Settings, SettingsError
from resources.storage.base import Storage, StorageError

DAYS = 7  # that a bill may still change


def fetch_last_days(settings: Settings, storage: Storage, now: datetime) -> tuple[str, str]:
    """What was fetched and what failed, one sentence or empty each; both empty without a key."""
    from resources.invoices.runpod_api import fetch_bill, has_api_access  # noqa: PLC0415

    try:
        if not has_api_access(settings):
            return "", ""
        rates = read_exchange_rates(settings.exchange_rates)
        first = now.date() - timedelta(days=DAYS)
        return fetch_bill(settings, storage, rates, first, now).sentence, ""
    except (
        BackendUnavailableError,
        ExchangeRateError,
        InvoiceError,
        SettingsError,
        StorageError,
    ) as error:
        return "", str(error)
