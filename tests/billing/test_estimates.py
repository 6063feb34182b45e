"""What the same audio would cost elsewhere."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipelines.billing.estimates import on_runpod_l4
from pipelines.billing.prices import PriceBook, PriceBookError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_hour_on_an_l4_takes_a_fifth_of_an_hour(book):
    # 720 s × 0.00019 USD/s
    assert on_runpod_l4(book, 3600.0, NOW, diarized=False) == Decimal("0.1368")


def test_speakers_take_a_tenth_more(book):
    # 1080 s × 0.00019 USD/s
    assert on_runpod_l4(book, 3600.0, NOW, diarized=True) == Decimal("0.2052")


def test_no_audio_costs_nothing(book):
    assert on_runpod_l4(book, 0.0, NOW, diarized=True) == 0


def test_without_a_price_there_is_no_estimate():
    with pytest.raises(PriceBookError, match="runpod/l4"):
        on_runpod_l4(PriceBook(()), 60.0, NOW, diarized=False)


def test_the_shipped_book_prices_the_estimate(shipped_book):
    assert on_runpod_l4(shipped_book, 3600.0, NOW, diarized=False) == Decimal("0.1368")
