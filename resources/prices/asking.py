"""The providers' prices of now: each is asked where its credentials are set, and none costs."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from pipelines.billing.catalogue import Offer
from pipelines.billing.prices import PriceBook
from pipelines.settings import Settings
from resources.failures import BackendUnavailableError

from .aws import spot_offers
from .gcp import machine_offers
from .runpod import serverless_offers

_PLACES = Decimal("0.000000001")  # of the price book's lines; nobody asks for less


@dataclass
class Asked:
    """What was heard; troubles: who was not asked, or did not answer, and what to do."""

    offers: list[Offer] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def ask_all(settings: Settings, book: PriceBook, now: datetime) -> Asked:
    """Of all skus in the book that a provider's catalogue knows."""
    asked = Asked()
    for ask in (serverless_offers, spot_offers, machine_offers):
        try:
            asked.offers += [_rounded(offer) for offer in ask(settings, book, now)]
        except BackendUnavailableError as error:
            asked.troubles.append(str(error))
    return asked


def _rounded(offer: Offer) -> Offer:
    price = offer.price_usd.quantize(_PLACES, ROUND_HALF_EVEN)
    return Offer(offer.backend, offer.sku, offer.unit, price, offer.source)
