"""The price book of the settings, in USD."""

from escriba.billing.exchange_rates import ExchangeRateError
from escriba.billing.price_book import PriceBook, PriceBookError, read_price_book
from escriba.settings import Settings


def open_price_book(settings: Settings) -> PriceBook:
    """PRICE_BOOK converted by EXCHANGE_RATES.

    Uses active prices if RUNPOD_WORKERS_MIN keeps all workers warm. If only some are warm, it is
    unknown which worker had a job: the higher price counts, and the invoice corrects it.

    Raises:
        PriceBookError: one of the files is not usable; names it.
    """
    try:
        return read_price_book(
            settings.price_book, settings.exchange_rates, all_active=all_active(settings)
        )
    except ExchangeRateError as error:
        raise PriceBookError(str(error)) from error


def all_active(settings: Settings) -> bool:
    """Whether every RunPod worker is kept warm."""
    return 0 < settings.runpod_workers_min >= settings.runpod_workers_max
