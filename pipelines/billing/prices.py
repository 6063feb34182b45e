"""The price book: what a second or a minute costs where, and when that was true.

`dbt_costs/seeds/price_book.csv` is the only place of prices; dbt reads the same file.
"""

import csv
import dataclasses
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from .currencies import ExchangeRates, Rate, read_exchange_rates
from .seed_lines import FOR_EVER, NANODOLLAR, Seed, day, last_day, positive, read_seed

__all__ = [
    "NANODOLLAR",
    "UNIT_SECONDS",
    "Price",
    "PriceBook",
    "PriceBookError",
    "read_price_book",
    "seed_text",
    "total",
]

_PLACES = Decimal("0.000000000001")  # of the price book in the database
_COLUMNS = (
    *("backend", "sku", "unit", "price_usd", "valid_from", "valid_to", "source", "currency"),
    *("price", "list_price_usd", "active_price_usd", "minimum_seconds"),
)
# seconds of the priced thing in one unit; audio is priced by its own length
UNIT_SECONDS = {"gpu_second": 1, "machine_hour": 3600, "audio_minute": 60}


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
    """One line: valid from `valid_from` (inclusive) to `valid_to` (exclusive), UTC.

    minimum_seconds: of audio, that a request is billed at least. list_price_usd: on demand, where
    the price is of spot. active_price_usd: of a worker that is kept warm. currency: that it is
    asked for in, where that is not USD; then rate_source says by which rate.
    """

    backend: str
    sku: str
    unit: str
    price_usd: Decimal
    valid_from: datetime
    valid_to: datetime
    source: str
    minimum_seconds: Decimal = Decimal(0)
    list_price_usd: Decimal | None = None
    active_price_usd: Decimal | None = None
    currency: str = "USD"
    rate_source: str = ""

    @property
    def name(self) -> str:
        """As in a sentence: runpod/l4."""
        return f"{self.backend}/{self.sku}"

    @property
    def usd_per_hour(self) -> Decimal:
        """Of machine time, or of audio for an `audio_minute`."""
        return self.price_usd * (3600 // UNIT_SECONDS[self.unit])

    def cost_usd(self, seconds: Decimal) -> Decimal:
        """Of so many seconds, or of the least that is billed; nothing costs nothing.

        Unrounded, and divided last, so that halves of a nano-dollar are true.
        """
        paid = max(seconds, self.minimum_seconds) if seconds else seconds
        return paid * self.price_usd / UNIT_SECONDS[self.unit]

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


def read_price_book(
    path: Path, exchange_rates: Path | None = None, *, all_active: bool = False
) -> PriceBook:
    """The book in a CSV file with the columns of `Price`; an empty valid_to means for ever.

    A line has `price_usd`, or `price` in its `currency`, which a line of each exchange rate makes
    USD. all_active: every worker is kept warm, so that lines with an active price have that one.

    Raises:
        PriceBookError: a file or a line that cannot be read, or two lines that overlap, or a
            currency of which there is no rate.
        ExchangeRateError: the table of rates cannot be read.
    """
    lines = read_seed(path, _SEED, _price)
    if all(line.currency == "USD" for line in lines):
        return PriceBook(tuple(_active(line) if all_active else line for line in lines))
    rates = read_exchange_rates(exchange_rates) if exchange_rates else ExchangeRates(())
    found = [part for line in lines for part in _in_usd(line, rates)]
    return PriceBook(tuple(_active(line) if all_active else line for line in found))


def _active(price: Price) -> Price:
    return replace(price, price_usd=price.active_price_usd or price.price_usd)


def _in_usd(price: Price, rates: ExchangeRates) -> list[Price]:
    """A price in another currency, once for each rate of its time; none where there is no rate."""
    if price.currency == "USD":
        return [price]
    return [
        _at_rate(price, rate)
        for rate in rates.rates
        if rate.currency == price.currency
        and rate.valid_from < price.valid_to
        and rate.valid_to > price.valid_from
    ]


def _at_rate(price: Price, rate: Rate) -> Price:
    return replace(
        price,
        price_usd=(price.price_usd * rate.usd_per_unit).quantize(_PLACES, ROUND_HALF_EVEN),
        valid_from=max(price.valid_from, rate.valid_from),
        valid_to=min(price.valid_to, rate.valid_to),
        rate_source=rate.told,
    )


def _price(line: dict[str, str]) -> Price:
    currency = line.get("currency") or "USD"
    column = "price_usd" if currency == "USD" else "price"
    return Price(
        backend=line["backend"],
        sku=line["sku"],
        unit=_unit(line["unit"]),
        price_usd=positive(line[column], column),
        valid_from=day(line["valid_from"]),
        valid_to=last_day(line["valid_to"]),
        source=line["source"],
        minimum_seconds=_minimum(line),
        list_price_usd=_other(line, "list_price_usd"),
        active_price_usd=_other(line, "active_price_usd"),
        currency=currency,
    )


def _other(line: dict[str, str], column: str) -> Decimal | None:
    text = line.get(column)
    return positive(text, column) if text else None


def _minimum(line: dict[str, str]) -> Decimal:
    least = _other(line, "minimum_seconds") or Decimal(0)
    if least and line["unit"] != "audio_minute":
        raise ValueError("minimum_seconds is of audio: leave it empty for machines")
    return least


def _unit(text: str) -> str:
    if text not in UNIT_SECONDS:
        raise ValueError(f"unit {text!r} is none of {', '.join(UNIT_SECONDS)}")
    return text


def seed_text(path: Path, *, all_active: bool = False) -> str:
    """A price book as the tables are built of: with every column, at active prices where asked."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        line = {name: row.get(name) or "" for name in _COLUMNS}
        if all_active and line["active_price_usd"]:
            line["price_usd"] = line["active_price_usd"]
        writer.writerow(line)
    return out.getvalue()


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Sum of money; Decimal all the way."""
    return sum(amounts, Decimal(0))
