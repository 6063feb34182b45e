"""The price book of a simulated world: the shipped prices, and changes in the middle of it."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pipelines.billing.prices import Price, PriceBook
from pipelines.billing.seed_lines import FOR_EVER

# all prices of a book are in USD
_COLUMNS = (
    *("backend", "sku", "unit", "price_usd", "valid_from", "valid_to", "source"),
    *("list_price_usd", "active_price_usd", "minimum_seconds"),
)
Change = tuple[str, str, datetime, Decimal]  # backend, sku, from when, times what it was


def with_changes(book: PriceBook, changes: Iterable[Change]) -> PriceBook:
    """The book with other prices from some moments on."""
    prices = list(book.prices)
    for backend, sku, when, factor in changes:
        old = next(p for p in prices if (p.backend, p.sku) == (backend, sku) and p.valid_to > when)
        prices.remove(old)
        changed = (old.price_usd * factor).quantize(Decimal("0.000000001"))
        prices += [replace(old, valid_to=when), _made_up(old, when, changed)]
    return PriceBook(tuple(prices))


def _made_up(old: Price, when: datetime, price_usd: Decimal) -> Price:
    return replace(old, valid_from=when, price_usd=price_usd, source="synthetic: a made-up change")


def book_csv(book: PriceBook) -> str:
    """The text of the seed that reads as this book."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for price in sorted(book.prices, key=lambda p: (p.name, p.valid_from)):
        until = "" if price.valid_to == FOR_EVER else f"{price.valid_to:%Y-%m-%d}"
        start = f"{price.valid_from:%Y-%m-%d}"
        told = (price.backend, price.sku, price.unit, f"{price.price_usd:f}", start, until)
        others = (price.list_price_usd, price.active_price_usd, price.minimum_seconds or None)
        writer.writerow(
            [*told, price.source, *("" if one is None else f"{one:f}" for one in others)]
        )
    return text.getvalue()
