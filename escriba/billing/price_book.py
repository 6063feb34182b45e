"""The price book: prices by backend and sku, each with the time it is valid.

`dbt_costs/seeds/price_book.csv` is the only source of prices; dbt reads the same file.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from .active_prices import at_active_prices, with_active_prices
from .dated_rows import FOR_EVER, NANODOLLAR
from .exchange_rates import ExchangeRates, Rate, read_exchange_rates
from .price_lines import UNIT_SECONDS, Price, PriceBookError, read_lines

__all__ = [
    "NANODOLLAR",
    "UNIT_SECONDS",
    "Price",
    "PriceBook",
    "PriceBookError",
    "read_price_book",
    "seed_book",
    "total",
]

_PLACES = Decimal("0.000000000001")  # decimals of the price book in the database


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices of one sku over time; `ordered` applies where the book has none."""

    ordered: Price
    prices: tuple[Price, ...]

    def at(self, when: datetime) -> Price:
        """The price at `when`."""
        for price in self.prices:
            if price.valid_from <= when < price.valid_to:
                return price
        return dataclasses.replace(self.ordered, valid_to=self._next(when))

    def _next(self, when: datetime) -> datetime:
        """When the next price of the book begins."""
        return min((p.valid_from for p in self.prices if p.valid_from > when), default=FOR_EVER)


@dataclass(frozen=True)
class PriceBook:
    """All prices; lines of one sku never overlap.

    add_ons: what each leased machine of a backend costs beside the machine.
    """

    prices: tuple[Price, ...]
    add_ons: tuple[Price, ...] = ()

    def at(self, backend: str, sku: str, when: datetime) -> Price:
        """The price at `when`.

        Raises:
            PriceBookError: none is valid then; an unknown price is an error, never 0.
        """
        for price in self.prices:
            same = (price.backend, price.sku) == (backend, sku)
            if same and price.valid_from <= when < price.valid_to:
                return price
        raise PriceBookError(
            f"The price book has no price for {backend}/{sku} on {when:%Y-%m-%d}. Add a line to it."
        )

    def tariff(self, backend: str, sku: str, ordered_at: datetime) -> Tariff:
        """All prices of a sku, for a job ordered at `ordered_at` that may run at any later time.

        Raises:
            PriceBookError: no price is valid at `ordered_at`.
        """
        own = (price for price in self.prices if (price.backend, price.sku) == (backend, sku))
        return Tariff(self.at(backend, sku, ordered_at), tuple(own))


def read_price_book(
    path: Path, exchange_rates: Path | None = None, *, all_active: bool = False
) -> PriceBook:
    """The price book in a CSV file with the columns of `Price`; an empty valid_to means no end.

    A line has `price_usd`, or `price` in its `currency`, which is converted by each exchange rate
    of its time. all_active: every worker is kept warm, so that the active prices apply.

    Raises:
        PriceBookError: the file or a line cannot be read, or two lines overlap.
        ExchangeRateError: the table of rates cannot be read.
    """
    book = seed_book(path, all_active=all_active)
    if any(line.currency != "USD" for line in (*book.prices, *book.add_ons)):
        rates = read_exchange_rates(exchange_rates) if exchange_rates else ExchangeRates(())
        book = PriceBook(*(_all_in_usd(lines, rates) for lines in (book.prices, book.add_ons)))
    return replace(book, prices=tuple(_with_add_ons(price, book.add_ons) for price in book.prices))


def seed_book(path: Path, *, all_active: bool = False) -> PriceBook:
    """The price book without currency conversion: `price_usd` is in the line's own currency.

    The cost tables are built from it, and convert it by the same rates.
    """
    lines = with_active_prices(read_lines(path))
    lines = at_active_prices(lines) if all_active else lines
    add_ons = tuple(line for line in lines if line.add_on)
    return PriceBook(tuple(line for line in lines if not line.add_on), add_ons)


def _with_add_ons(price: Price, add_ons: Iterable[Price]) -> Price:
    """A machine's line with the highest price of each add-on in its time, for quotes."""
    if price.unit == "audio_minute":
        return price
    highest: dict[str, Decimal] = {}
    for one in add_ons:
        overlaps = one.valid_from < price.valid_to and price.valid_from < one.valid_to
        if one.backend == price.backend and overlaps:
            highest[one.sku] = max(one.usd_per_hour, highest.get(one.sku, one.usd_per_hour))
    return replace(price, beside_usd_per_hour=total(highest.values()))


def _all_in_usd(lines: Iterable[Price], rates: ExchangeRates) -> tuple[Price, ...]:
    return tuple(part for line in lines for part in _in_usd(line, rates))


def _in_usd(price: Price, rates: ExchangeRates) -> list[Price]:
    """A price in USD, once for each exchange rate of its time; empty without a rate."""
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
        rate_source=rate.description,
    )


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of amounts as Decimal."""
    return sum(amounts, Decimal(0))
