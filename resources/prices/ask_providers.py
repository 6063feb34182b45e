"""The providers' current prices: free requests to each provider with credentials."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from escriba.billing.price_book import PriceBook
from escriba.billing.price_changes import PriceOffer
from escriba.errors import BackendUnavailableError
from escriba.settings import Settings

from .aws import spot_offers
from .gcp import machine_offers
from .runpod import serverless_offers

_PLACES = Decimal("0.000000001")  # the precision of the price book


@dataclass
class PriceAnswers:
    """The offers. troubles: providers without an answer, why, and what to do."""

    offers: list[PriceOffer] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def ask_all(settings: Settings, book: PriceBook, now: datetime) -> PriceAnswers:
    """Offers for all skus of the price book that a provider's catalog lists."""
    asked = PriceAnswers()
    for ask in (serverless_offers, spot_offers, machine_offers):
        try:
            asked.offers += [_rounded(offer) for offer in ask(settings, book, now)]
        except BackendUnavailableError as error:
            asked.troubles.append(str(error))
    return asked


def _rounded(offer: PriceOffer) -> PriceOffer:
    price = offer.price_usd.quantize(_PLACES, ROUND_HALF_EVEN)
    return PriceOffer(offer.backend, offer.sku, offer.unit, price, offer.source)
