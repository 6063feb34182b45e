"""Stretches of time with one price each: cut at midnight (UTC), as bills are, and at prices."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from .dated_rows import FOR_EVER
from .price_book import NANODOLLAR, Price, PriceBook
from .price_periods import cost_of, midnight_after


@dataclass(frozen=True, slots=True)
class PricedStretch:
    """A stretch of one day and one price; price: None if the book has none."""

    since: datetime
    until: datetime
    price: Price | None

    @property
    def day(self) -> date:
        """The day (UTC)."""
        return self.since.date()


@dataclass
class PriceLines:
    """The lines of a price book, indexed by backend and sku."""

    book: PriceBook
    _by_sku: dict[tuple[str, str], list[Price]] = field(init=False)

    def __post_init__(self) -> None:
        by_sku = defaultdict(list)
        for price in self.book.prices:
            by_sku[price.backend, price.sku].append(price)
        self._by_sku = dict(by_sku)

    def at(self, backend: str, sku: str, when: datetime) -> Price | None:
        """The line valid at `when`."""
        return _at(self._by_sku.get((backend, sku), ()), when)

    def cut(
        self, backend: str, sku: str, since: datetime, until: datetime
    ) -> Iterator[PricedStretch]:
        """The time from `since` to `until` as priced stretches, in order."""
        lines = self._by_sku.get((backend, sku), ())
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        while since < until:
            price = _at(lines, since)
            end = min(until, midnight_after(since), _change(lines, price, since))
            yield PricedStretch(since, end, price)
            since = end


def nanodollars(usd: Decimal) -> int:
    """An amount in whole nano-dollars, halves to even."""
    return int((usd / NANODOLLAR).to_integral_value(ROUND_HALF_EVEN))


def cost_nano(price: Price, time: timedelta) -> int:
    """The cost of a length of time at a price, in nano-dollars."""
    return nanodollars(cost_of(price, time))


def share(whole: int, since: int, until: int, of: int) -> int:
    """The part of `whole` from `since` to `until` out of `of`; such parts add up to `whole`.

    The cost tables use the same rounding.
    """
    return whole * until // of - whole * since // of


def _at(lines: Sequence[Price], when: datetime) -> Price | None:
    return next((one for one in lines if one.valid_from <= when < one.valid_to), None)


def _change(lines: Sequence[Price], price: Price | None, when: datetime) -> datetime:
    """When the price ends; without a price, when the next one begins."""
    if price is not None:
        return price.valid_to
    return min((one.valid_from for one in lines if one.valid_from > when), default=FOR_EVER)
