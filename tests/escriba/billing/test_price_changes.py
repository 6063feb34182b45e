"""Offers held against the price book, and the lines that come of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.price_book import read_price_book
from escriba.billing.price_changes import PriceOffer, apply_changes, compare_prices, mean_price

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
TODAY, TOMORROW, LATER = (datetime(2026, 3, day, tzinfo=UTC) for day in (10, 11, 20))
BOOK = """\
backend,sku,unit,price_usd,valid_from,valid_to,source
runpod,l4,gpu_second,0.00019,2020-01-01,,published
aws_gpu,g5.xlarge,machine_hour,0.47,2020-01-01,2026-04-01,typical
aws_gpu,g5.xlarge,machine_hour,0.50,2026-04-01,,planned
"""


@pytest.fixture
def book(tmp_path):
    def read(text=BOOK):
        path = tmp_path / "prices.csv"
        path.write_text(text)
        return read_price_book(path)

    return read


def offer(price, backend="runpod", sku="l4", unit="gpu_second"):
    return PriceOffer(backend, sku, unit, Decimal(price), "its catalogue")


@pytest.mark.parametrize(
    ("price", "state"),
    [("0.00019", "same"), ("0.000192", "rounding"), ("0.000195", "changed"), ("0.0001", "changed")],
)
def test_what_differs_by_less_than_some_percent_is_rounding(book, price, state):
    [change] = compare_prices(book(), [offer(price)], NOW, Decimal(2))

    assert change.state == state


def test_what_the_book_does_not_have_or_has_in_another_unit_is_left_out(book):
    offers = [offer("1", sku="b200"), offer("1", unit="machine_hour")]

    assert compare_prices(book(), offers, NOW, Decimal(2)) == []


def test_a_new_price_holds_from_tomorrow_on_and_what_was_planned_stays(book):
    offers = [offer("0.0003"), offer("0.6", "aws_gpu", "g5.xlarge", "machine_hour")]

    new = book(apply_changes(BOOK, compare_prices(book(), offers, NOW, Decimal(2))))

    assert new.at("runpod", "l4", TODAY).price_usd == Decimal("0.00019")
    assert new.at("runpod", "l4", TOMORROW).price_usd == Decimal("0.0003")
    assert new.at("aws_gpu", "g5.xlarge", LATER).price_usd == Decimal("0.6")
    assert new.at("aws_gpu", "g5.xlarge", LATER + timedelta(days=30)).price_usd == Decimal("0.50")


def test_applied_twice_in_a_day_it_is_one_line_with_the_last_price(book):
    first = apply_changes(BOOK, compare_prices(book(), [offer("0.0003")], NOW, Decimal(2)))
    again = apply_changes(first, compare_prices(book(first), [offer("0.0003")], NOW, Decimal(2)))
    other = apply_changes(first, compare_prices(book(first), [offer("0.0004")], NOW, Decimal(2)))

    assert again == first
    assert len(other.splitlines()) == len(first.splitlines()) == len(BOOK.splitlines()) + 1
    assert book(other).at("runpod", "l4", TOMORROW).price_usd == Decimal("0.0004")


def test_a_mean_weighs_each_price_by_how_long_it_was_valid():
    """Three days at 0.40 and one at 0.80; whatever the order in which they are told."""
    points = [
        (NOW - timedelta(days=1), Decimal("0.80")),
        (NOW - timedelta(days=4), Decimal("0.40")),
    ]

    assert mean_price(points, NOW) == Decimal("0.50")
    assert mean_price(points[:1], NOW) == Decimal("0.80")
