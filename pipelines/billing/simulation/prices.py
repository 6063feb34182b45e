"""The price book of a simulated world: the shipped prices, and changes in the middle of it."""

import csv
import io
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal

from pipelines.billing.prices import Price, PriceBook
from pipelines.billing.seed_lines import FOR_EVER

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
    writer.writerow(field.name for field in fields(Price))
    for price in sorted(book.prices, key=lambda p: (p.name, p.valid_from)):
        until = "" if price.valid_to == FOR_EVER else f"{price.valid_to:%Y-%m-%d}"
        start = f"{price.valid_from:%Y-%m-%d}"
        amount = f"{price.price_usd:f}"
        writer.writerow([price.backend, price.sku, price.unit, amount, start, until, price.source])
    return text.getvalue()
