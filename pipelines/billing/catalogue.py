"""What the providers ask for now, held against the price book, and the book's next lines."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from .prices import Price, PriceBook

_PLACES = Decimal("0.000000001")

State = Literal["same", "rounding", "changed"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A price of now. source: who said so."""

    backend: str
    sku: str
    unit: str
    price_usd: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Change:
    """An offer beside the line that is valid on `since`, from which on the new one would be."""

    line: Price
    offer: Offer
    since: datetime
    state: State

    @property
    def percent(self) -> Decimal:
        """By how much the offer differs."""
        if not self.line.price_usd:
            return Decimal(100)
        return (self.offer.price_usd / self.line.price_usd - 1) * 100


def compare(
    book: PriceBook, offers: Iterable[Offer], now: datetime, least_percent: Decimal
) -> list[Change]:
    """For each offer whose sku the book has, in the same unit.

    A new price is valid from tomorrow on (UTC): what was written down today keeps its own.
    least_percent: what differs by less is rounding, and is left alone.
    """
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    changes = []
    for offer in offers:
        line = _line(book, offer, since)
        if line is not None:
            found = Change(line, offer, since, "changed")
            changes.append(Change(line, offer, since, _state(found, least_percent)))
    return changes


def mean_price(points: Sequence[tuple[datetime, Decimal]], now: datetime) -> Decimal:
    """Of a price that changed at these moments, by how long each was valid until now."""
    in_order = sorted(points)
    if len(in_order) == 1 or in_order[0][0] >= now:
        return in_order[-1][1]
    ends = [*(when for when, _ in in_order[1:]), now]
    spans = [
        (max((end - when).total_seconds(), 0.0), price)
        for (when, price), end in zip(in_order, ends, strict=True)
    ]
    total = sum((Decimal(repr(seconds)) for seconds, _ in spans), Decimal(0))
    weighed = sum((Decimal(repr(seconds)) * price for seconds, price in spans), Decimal(0))
    return weighed / total if total else in_order[-1][1]


def applied(text: str, changes: Iterable[Change]) -> str:
    """The book as text with the old lines ended and new ones beneath; nothing else is touched."""
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


def _line(book: PriceBook, offer: Offer, when: datetime) -> Price | None:
    for price in book.prices:
        same = (price.backend, price.sku, price.unit) == (offer.backend, offer.sku, offer.unit)
        if same and price.valid_from <= when < price.valid_to:
            return price
    return None


def _state(change: Change, least_percent: Decimal) -> State:
    if change.offer.price_usd == change.line.price_usd:
        return "same"
    return "changed" if abs(change.percent) >= least_percent else "rounding"


def _with(rows: list[dict[str, str]], change: Change) -> list[dict[str, str]]:
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
        # a line that was to begin then is only corrected
        made += [new] if row["valid_from"] == since else [row | {"valid_to": since}, new]
    return made


def _plain(price: Decimal) -> str:
    text = f"{price.quantize(_PLACES, ROUND_HALF_EVEN):f}"
    return text.rstrip("0").rstrip(".")
