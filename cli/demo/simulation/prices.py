"""The price book of a simulation: the built-in prices with changes over time."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from escriba.billing.price_book import Price, PriceBook

Change = tuple[str, str, datetime, Decimal]  # backend, sku, start, factor


def with_changes(book: PriceBook, changes: Iterable[Change]) -> PriceBook:
    """The price book with prices changed from given times on."""
    prices = list(book.prices)
    for backend, sku, when, factor in changes:
        old = next(p for p in prices if (p.backend, p.sku) == (backend, sku) and p.valid_to > when)
        prices.remove(old)
        changed = (old.price_usd * factor).quantize(Decimal("0.000000001"))
        prices += [replace(old, valid_to=when), _changed_price(old, when, changed)]
    return PriceBook(tuple(prices))


def _changed_price(old: Price, when: datetime, price_usd: Decimal) -> Price:
    return replace(old, valid_from=when, price_usd=price_usd, source="synthetic price change")
