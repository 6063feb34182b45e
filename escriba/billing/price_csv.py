"""A price book as CSV text with every column."""

import csv
import io
from decimal import Decimal

from .dated_rows import FOR_EVER
from .price_book import Price, PriceBook

_COLUMNS = (
    *("backend", "sku", "unit", "price_usd", "valid_from", "valid_to", "source", "currency"),
    *("price", "list_price_usd", "active_price_usd", "minimum_seconds", "add_on"),
)


def book_csv(book: PriceBook) -> str:
    """The CSV text of the book."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_row(price) for price in sorted((*book.prices, *book.add_ons), key=_order))
    return text.getvalue()


def _order(price: Price) -> tuple[object, ...]:
    return price.name, price.valid_from


def _row(price: Price) -> list[str]:
    is_foreign = price.currency != "USD" and not price.rate_source  # not converted yet
    amount = f"{price.price_usd:f}"
    return [
        *(price.backend, price.sku, price.unit, "" if is_foreign else amount),
        f"{price.valid_from:%Y-%m-%d}",
        "" if price.valid_to == FOR_EVER else f"{price.valid_to:%Y-%m-%d}",
        price.source,
        *((price.currency, amount) if is_foreign else ("", "")),
        *map(
            _amount, (price.list_price_usd, price.active_price_usd, price.minimum_seconds or None)
        ),
        price.add_on,
    ]


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"
