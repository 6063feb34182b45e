"""The price of a spot machine: the history of its zone, weighted by time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.price_book import Price, Tariff
from escriba.billing.spot_prices import at_spot_price, mean_between

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
BOOK = Price("aws_gpu", "g5.xlarge", "machine_hour", Decimal("0.47"), *EVER, "test")
CHANGES = [(-600, "0.30"), (60, "0.40"), (120, "0.60")]


def at(minute):
    return NOON + timedelta(minutes=minute)


def points(changes):
    return [(at(minute), Decimal(usd)) for minute, usd in changes]


@pytest.mark.parametrize(
    ("since", "until", "usd"),
    [
        (0, 60, "0.30"),
        (30, 90, "0.35"),  # half an hour of each
        (0, 180, "0.433333333"),  # an hour of each
        (150, 200, "0.60"),
        (45, 45, "0.30"),  # a job without length has the price of its moment
        (-900, -800, "0.30"),  # before the first change that is known
    ],
)
def test_the_mean_is_weighted_by_how_long_each_price_was_valid(since, until, usd):
    changes = points(CHANGES)

    assert mean_between(changes[::-1], at(since), at(until)) == Decimal(usd)


def test_without_a_history_there_is_no_price():
    assert mean_between([], at(0), at(1)) is None


def test_the_price_of_the_zone_takes_the_place_of_the_book_and_none_leaves_it():
    tariff = Tariff(BOOK, (BOOK,))

    for price in (BOOK, tariff):
        assert at_spot_price(price, None) is price
        assert at_spot_price(price, Decimal("0.3")).at(NOON).usd_per_hour == Decimal("0.3")
