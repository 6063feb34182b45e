"""Time at its price: cut at midnight (UTC), as bills are, and where a price ends."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from .prices import NANODOLLAR, Price, PriceBook
from .seed_lines import FOR_EVER
from .stretches import cost_of, midnight_after


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of one day and one price; price: None where the book has none."""

    since: datetime
    until: datetime
    price: Price | None

    @property
    def day(self) -> date:
        """UTC."""
        return self.since.date()


@dataclass
class Lines:
    """The lines of a price book by what they are for."""

    book: PriceBook
    _by_sku: dict[tuple[str, str], list[Price]] = field(init=False)

    def __post_init__(self) -> None:
        by_sku = defaultdict(list)
        for price in self.book.prices:
            by_sku[price.backend, price.sku].append(price)
        self._by_sku = dict(by_sku)

    def at(self, backend: str, sku: str, when: datetime) -> Price | None:
        """The line that holds at a moment."""
        return _at(self._by_sku.get((backend, sku), ()), when)

    def cut(self, backend: str, sku: str, since: datetime, until: datetime) -> Iterator[Stretch]:
        """All of the time between, in its order."""
        lines = self._by_sku.get((backend, sku), ())
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        while since < until:
            price = _at(lines, since)
            end = min(until, midnight_after(since), _change(lines, price, since))
            yield Stretch(since, end, price)
            since = end


def nanodollars(usd: Decimal) -> int:
    """Whole ones, halves to even."""
    return int((usd / NANODOLLAR).to_integral_value(ROUND_HALF_EVEN))


def cost_nano(price: Price, time: timedelta) -> int:
    """Of so much time at a price."""
    return nanodollars(cost_of(price, time))


def share(whole: int, since: int, until: int, of: int) -> int:
    """The part of a sum between two marks; the parts add up to it, as in the cost tables."""
    return whole * until // of - whole * since // of


def _at(lines: Sequence[Price], when: datetime) -> Price | None:
    return next((one for one in lines if one.valid_from <= when < one.valid_to), None)


def _change(lines: Sequence[Price], price: Price | None, when: datetime) -> datetime:
    """When the price ends, or where there is none, when one begins."""
    if price is not None:
        return price.valid_to
    return min((one.valid_from for one in lines if one.valid_from > when), default=FOR_EVER)
