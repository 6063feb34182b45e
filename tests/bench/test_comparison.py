"""The page that compares the backends has what the price book says."""

from decimal import Decimal

import pytest

from bench.comparison import BACKENDS, PAGE, Row, rows, tables, written


def machine(usd, start_usd):
    return Row("runpod", "l4", Decimal(usd), Decimal(usd), 30.0, Decimal(start_usd))


def test_the_page_has_the_prices_of_the_book():
    page = PAGE.read_text("utf-8")

    made = written(page, tables(rows()))

    assert made == page, "Run `python -m bench.comparison --write`."


def test_every_backend_is_compared():
    assert {one.backend for one in rows()} == set(BACKENDS)


def test_a_machine_pays_once_what_it_saves_is_more_than_its_start():
    assert machine("0.10", "0.05").even_minutes(Decimal("0.40")) == 10
    assert machine("0.40", "0.05").even_minutes(Decimal("0.40")) is None


def test_an_api_of_words_has_no_price_with_speakers_and_one_of_speakers_none_for_words():
    found = {(one.backend, one.sku): one for one in rows()}

    assert found["openai", "whisper-1"].with_speakers_usd is None
    assert found["pyannote_ai", "precision-2"].usd is None


def test_a_page_without_marks_is_an_error():
    with pytest.raises(ValueError, match="needs the lines"):
        written("# A page", "| a |")
