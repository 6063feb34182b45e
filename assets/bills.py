"""The providers' bills of the last days, as far as they can be asked for."""

from datetime import datetime, timedelta

from pipelines.billing.currencies import ExchangeRateError, read_exchange_rates
from pipelines.billing.invoices import InvoiceError
from pipelines.settings import Settings, SettingsError
from resources.failures import BackendUnavailableError
from resources.storage.base import Storage, StorageError

DAYS = 7  # in which a bill may still change


def fetch_last_days(settings: Settings, storage: Storage, now: datetime) -> tuple[str, str]:
    """What came, and what went wrong, each in a sentence or empty; nothing where nobody is set."""
    from resources.invoices.runpod_api import can_be_asked, fetch_bill  # noqa: PLC0415

    try:
        if not can_be_asked(settings):
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
