"""The price book of the settings, in USD."""

from pipelines.billing.currencies import ExchangeRateError
from pipelines.billing.prices import PriceBook, PriceBookError, read_price_book
from pipelines.settings import Settings


def open_price_book(settings: Settings) -> PriceBook:
    """PRICE_BOOK by EXCHANGE_RATES; at active prices where RUNPOD_WORKERS_MIN keeps all warm.

    Where some workers are warm and others come and go, nobody knows which of them had a job: the
    dearer price counts, and the bill corrects it.

    Raises:
        PriceBookError: one of the files cannot be used; names it.
    """
    try:
        return read_price_book(
            settings.price_book, settings.exchange_rates, all_active=all_active(settings)
        )
    except ExchangeRateError as error:
        raise PriceBookError(str(error)) from error


def all_active(settings: Settings) -> bool:
    """Whether every worker of RunPod is kept warm."""
    return 0 < settings.runpod_workers_min >= settings.runpod_workers_max
