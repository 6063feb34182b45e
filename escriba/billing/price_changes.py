"""Providers' current prices compared with the price book, and the lines to add to it."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from .price_book import Price, PriceBook

_PLACES = Decimal("0.000000001")

State = Literal["same", "rounding", "changed"]


@dataclass(frozen=True, slots=True)
class PriceOffer:
    """A provider's current price. source: where it comes from."""

    backend: str
    sku: str
    unit: str
    price_usd: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class PriceDifference:
    """An offer and the book's line on `since`, the day from which the offer would apply."""

    line: Price
    offer: PriceOffer
    since: datetime
    state: State

    @property
    def percent(self) -> Decimal:
        """By how many percent the offer differs from the book."""
        if not self.line.price_usd:
            return Decimal(100)
        return (self.offer.price_usd / self.line.price_usd - 1) * 100


def compare_prices(
    book: PriceBook, offers: Iterable[PriceOffer], now: datetime, least_percent: Decimal
) -> list[PriceDifference]:
    """The difference for each offer with a sku in the book, in the same unit.

    A new price is valid from tomorrow (UTC), so that today's ledger rows keep their price.
    least_percent: smaller differences count as rounding, and are ignored.
    """
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    changes = []
    for offer in offers:
        line = _line(book, offer, since)
        if line is not None:
            found = PriceDifference(line, offer, since, "changed")
            changes.append(PriceDifference(line, offer, since, _state(found, least_percent)))
    return changes


def mean_price(points: Sequence[tuple[datetime, Decimal]], now: datetime) -> Decimal:
    """The mean of a price that changed at these times, weighted by how long each was valid."""
    in_order = sorted(points)
    if len(in_order) == 1 or in_order[0][0] >= now:
        return in_order[-1][1]
    ends = [*(when for when, _ in in_order[1:]), now]
    spans = [
        (max((end - when).total_seconds(), 0.0), price)
        for (when, price), end in zip(in_order, ends, strict=True)
    ]
    total = sum((Decimal(repr(seconds)) for seconds, _ in spans), Decimal(0))
    weighted = sum((Decimal(repr(seconds)) * price for seconds, price in spans), Decimal(0))
    return weighted / total if total else in_order[-1][1]


def apply_changes(text: str, changes: Iterable[PriceDifference]) -> str:
    """The book's text with old lines ended and new ones added below; the rest is unchanged."""
    reader = csv.DictReader(io.StringIO(text))
    columns, rows = list(reader.fieldnames or ()), list(reader)
    for change in changes:
        if change.state == "changed":
            rows = _with(rows, change)
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: row[name] for name in columns} for row in rows)
    return out.getvalue()


def _line(book: PriceBook, offer: PriceOffer, when: datetime) -> Price | None:
    for price in book.prices:
        same = (price.backend, price.sku, price.unit) == (offer.backend, offer.sku, offer.unit)
        if same and price.valid_from <= when < price.valid_to:
            return price
    return None


def _state(change: PriceDifference, least_percent: Decimal) -> State:
    if change.offer.price_usd == change.line.price_usd:
        return "same"
    return "changed" if abs(change.percent) >= least_percent else "rounding"


def _with(rows: list[dict[str, str]], change: PriceDifference) -> list[dict[str, str]]:
    line, since = change.line, f"{change.since:%Y-%m-%d}"
    made: list[dict[str, str]] = []
    for row in rows:
        same = (row["backend"], row["sku"]) == (line.backend, line.sku)
        if not same or row["valid_from"] != f"{line.valid_from:%Y-%m-%d}":
            made.append(row)
            continue
        new = row | {
            "price_usd": _plain(change.offer.price_usd),
            "valid_from": since,
            "source": change.offer.source,
        }
        # a line that begins on that day is only corrected
        made += [new] if row["valid_from"] == since else [row | {"valid_to": since}, new]
    return made


def _plain(price: Decimal) -> str:
    text = f"{price.quantize(_PLACES, ROUND_HALF_EVEN):f}"
    return text.rstrip("0").rstrip(".")
