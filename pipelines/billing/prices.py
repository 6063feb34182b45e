"""The price book: what a second or a minute costs where, and when that was true.

`dbt_costs/seeds/price_book.csv` is the only place of prices; dbt reads the same file.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from .seed_lines import FOR_EVER, Seed, day, last_day, positive, read_seed

# seconds of the priced thing in one unit; audio is priced by its own length
UNIT_SECONDS = {"gpu_second": 1, "machine_hour": 3600, "audio_minute": 60}
NANODOLLAR = Decimal("0.000000001")  # sums of millions of rows stay exact


class PriceBookError(ValueError):
    """A line of the price book cannot be used; names the line."""


_SEED = Seed(
    "prices",
    "PRICE_BOOK",
    ": name a CSV file of prices, or leave PRICE_BOOK empty for the one that is shipped.",
    PriceBookError,
)


@dataclass(frozen=True, slots=True)
class Price:
    """One line: valid from `valid_from` (inclusive) to `valid_to` (exclusive), UTC."""

    backend: str
    sku: str
    unit: str
    price_usd: Decimal
    valid_from: datetime
    valid_to: datetime
    source: str

    @property
    def name(self) -> str:
        """As in a sentence: runpod/l4."""
        return f"{self.backend}/{self.sku}"

    @property
    def usd_per_hour(self) -> Decimal:
        """Of machine time, or of audio for an `audio_minute`."""
        return self.price_usd * (3600 // UNIT_SECONDS[self.unit])

    def cost_usd(self, seconds: Decimal) -> Decimal:
        """Of so many seconds, unrounded; divided last, so that halves of a nano-dollar are true."""
        return seconds * self.price_usd / UNIT_SECONDS[self.unit]

    def at(self, when: datetime) -> "Price":  # noqa: ARG002  # as a Tariff has it
        """Itself: a price alone holds at any time."""
        return self


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices of one sku, each for its own time; `ordered` holds where the book has none."""

    ordered: Price
    prices: tuple[Price, ...]

    def at(self, when: datetime) -> Price:
        """The price at a moment."""
        for price in self.prices:
            if price.valid_from <= when < price.valid_to:
                return price
        return dataclasses.replace(self.ordered, valid_to=self._next(when))

    def _next(self, when: datetime) -> datetime:
        """When the book has one again."""
        return min((p.valid_from for p in self.prices if p.valid_from > when), default=FOR_EVER)


@dataclass(frozen=True)
class PriceBook:
    """All prices; lines of one sku never overlap."""

    prices: tuple[Price, ...]

    def at(self, backend: str, sku: str, when: datetime) -> Price:
        """The price at a moment.

        Raises:
            PriceBookError: none is valid then; unknown prices block, they are never 0.
        """
        for price in self.prices:
            same = (price.backend, price.sku) == (backend, sku)
            if same and price.valid_from <= when < price.valid_to:
                return price
        raise PriceBookError(
            f"The price book has no price of {backend}/{sku} at {when:%Y-%m-%d}: add a line to it."
        )

    def tariff(self, backend: str, sku: str, ordered_at: datetime) -> Tariff:
        """All prices of a sku, for what was ordered at a moment and runs whenever it does.

        Raises:
            PriceBookError: none is valid when it is ordered.
        """
        own = (price for price in self.prices if (price.backend, price.sku) == (backend, sku))
        return Tariff(self.at(backend, sku, ordered_at), tuple(own))


def read_price_book(path: Path) -> PriceBook:
    """The book in a CSV file with the columns of `Price`; an empty valid_to means for ever.

    Raises:
        PriceBookError: a file or a line that cannot be read, or two lines that overlap.
    """
    return PriceBook(read_seed(path, _SEED, _price))


def _price(line: dict[str, str]) -> Price:
    return Price(
        backend=line["backend"],
        sku=line["sku"],
        unit=_unit(line["unit"]),
        price_usd=positive(line["price_usd"], "price_usd"),
        valid_from=day(line["valid_from"]),
        valid_to=last_day(line["valid_to"]),
        source=line["source"],
    )


def _unit(text: str) -> str:
    if text not in UNIT_SECONDS:
        raise ValueError(f"unit {text!r} is none of {', '.join(UNIT_SECONDS)}")
    return text


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Sum of money; Decimal all the way."""
    return sum(amounts, Decimal(0))
