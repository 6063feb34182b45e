"""Each second at the price of that second: worked by hand, to the nano-dollar."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.billing.attempts import AttemptEnd, clock_warning
from escriba.billing.ledger_rows import ledger_row
from escriba.billing.price_book import NANODOLLAR, Price, PriceBook, PriceBookError
from escriba.billing.price_periods import priced_parts, run_usd
from escriba.billing.quotes import Quote, quote_at_time_prices

usd = Decimal
NEW_PRICE = datetime(2026, 3, 11, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def book(price):
    """An L4 at 0.00019 a second, at 0.00016 from 11 March on; spot and audio likewise dated."""
    spot = {"backend": "aws_gpu", "sku": "g5.xlarge"}
    api = {"backend": "openai", "sku": "whisper-1"}
    return PriceBook(
        (
            price("0.00019", valid_to=NEW_PRICE),
            price("0.00016", valid_from=NEW_PRICE),
            price("0.47", "machine_hour", valid_to=APRIL, **spot),
            price("0.5", "machine_hour", valid_from=APRIL, **spot),
            price("0.006", "audio_minute", valid_to=NEW_PRICE, **api),
            price("0.009", "audio_minute", valid_from=NEW_PRICE, **api),
        )
    )


@pytest.fixture
def l4(book):
    return book.tariff("runpod", "l4", NEW_PRICE - timedelta(days=1))


def at(text):
    return datetime.fromisoformat(f"2026-{text}+00:00")


def test_twenty_minutes_over_midnight_have_both_prices(l4):
    """600 s at 0.00019 and 600 s at 0.00016."""
    parts = list(priced_parts(l4, at("03-10T23:50"), at("03-11T00:10")))

    assert [(part.since, part.until, part.usd) for part in parts] == [
        (at("03-10T23:50"), NEW_PRICE, usd("0.114")),
        (NEW_PRICE, at("03-11T00:10"), usd("0.096")),
    ]
    assert run_usd(l4, at("03-10T23:50"), run_seconds=1200.0, audio_seconds=9.0) == usd("0.21")


def test_what_was_ordered_at_23_and_ran_at_1_has_the_price_of_1(book, attempt):
    ordered, began = at("03-10T23:00"), at("03-11T01:00")
    end = AttemptEnd(status="done", started_at=began, ended_at=began + timedelta(seconds=60))
    one = attempt(end=end, queued_at=ordered, created_at=ordered)

    row = ledger_row(one, book.tariff("runpod", "l4", one.created_at))

    assert (row.cost_usd, row.usd_per_hour) == (usd("0.0096"), usd("0.576"))


@pytest.mark.parametrize(
    ("began", "cost"), [("03-11T00:00:10", "0.09"), ("03-10T23:59:50", "0.06")]
)
def test_audio_has_the_price_of_when_it_was_sent(book, began, cost):
    """Ten minutes, ordered at 23:59:50, that took 30 s."""
    price = book.tariff("openai", "whisper-1", at("03-10T23:59:50"))

    assert run_usd(price, at(began), run_seconds=30.0, audio_seconds=600.0) == usd(cost)


def test_a_spot_life_over_the_end_of_a_month_is_cut_there(book):
    """Half an hour at 0.47, and half an hour at 0.5."""
    price = book.tariff("aws_gpu", "g5.xlarge", at("03-31T20:00"))

    parts = list(priced_parts(price, at("03-31T23:30"), at("04-01T00:30")))

    assert [part.usd for part in parts] == [usd("0.235"), usd("0.25")]


def test_a_price_that_changes_at_noon_is_cut_at_noon(price):
    noon = at("03-10T12:00")
    book = PriceBook((price("0.2", valid_to=noon), price("0.1", valid_from=noon)))

    parts = list(
        priced_parts(book.tariff("runpod", "l4", noon), at("03-10T11:59"), at("03-10T12:02"))
    )

    assert [part.usd for part in parts] == [12, 12]


def test_time_for_which_the_book_has_no_price_has_that_of_the_order(price):
    """10 s before 11 March, a day without a line, and 10 s at the price of 12 March."""
    again = NEW_PRICE + timedelta(days=1)
    book = PriceBook((price("0.2", valid_to=NEW_PRICE), price("0.1", valid_from=again)))
    known = book.tariff("runpod", "l4", NEW_PRICE - timedelta(hours=1))

    parts = [p.usd for p in priced_parts(known, at("03-10T23:59:50"), at("03-12T00:00:10"))]

    assert parts == [2, 17_280, 1]
    with pytest.raises(PriceBookError, match="2026-03-11"):
        book.tariff("runpod", "l4", NEW_PRICE)


@given(
    st.integers(0, 2 * 86_400_000_000),
    st.lists(st.integers(0, 40_000_000_000), min_size=1, max_size=5),
)
def test_parts_have_no_gap_and_lie_on_one_day_each(since, lengths):
    day, forever = datetime(2026, 3, 9, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    price = Price("b", "s", "gpu_second", usd("0.00019"), day, forever, "")
    began = day + timedelta(microseconds=since)
    ended = began + timedelta(microseconds=sum(lengths))

    parts = list(priced_parts(price, began, ended))

    assert [part.since for part in parts[1:]] == [part.until for part in parts[:-1]]
    if parts:
        assert (parts[0].since, parts[-1].until) == (began, ended)
    for part in parts:
        last = part.until - timedelta(microseconds=1)
        assert part.since.date() == last.date()
        assert part.usd == part.usd.quantize(NANODOLLAR)


def test_a_run_is_paid_up_to_its_limit_and_people_hear_of_it(attempt, price):
    """Three hours with a limit of two: its clock was set while it ran. 7,200 + 900 s count."""
    one = attempt("done", ran=10_800.0)

    row = ledger_row(one, price())

    assert (row.run_seconds, row.cost_usd) == (8_100.0, usd("1.539"))
    assert row.ended_at == row.started_at + timedelta(seconds=8_100)
    assert "10,800 s" in clock_warning(one)
    assert "Escriba counts 8,100 s" in clock_warning(one)
    assert clock_warning(attempt("done", ran=10.0)) == clock_warning(attempt()) == ""


def test_a_quote_has_the_price_of_when_it_would_run(l4, book):
    """A minute until it begins and 20 min of run, from 23:50 on: 600 s and 660 s."""
    quote = Quote("runpod", "l4", usd("0.2394"), 1200.0, 1260.0, "planned")

    assert quote_at_time_prices(quote, l4, at("03-10T23:50")).cost_usd == usd("0.2196")
    assert quote_at_time_prices(quote, l4, at("03-10T12:00")) == quote
    audio = Quote("openai", "whisper-1", usd("0.06"), 30.0, 30.0, "planned")
    known = book.tariff("openai", "whisper-1", at("03-10T23:59:50"))
    assert quote_at_time_prices(audio, known, at("03-10T23:59:50")) == audio
