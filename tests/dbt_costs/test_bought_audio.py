"""What APIs bill, and hours of audio, in every place that adds them up; worked out by hand.

A recording of ten minutes by `openai` at 0.006 a minute: killed after 300 s, resumed with the other
300 s and 30 s that were sent again; its speakers by `pyannote_ai` at 0.002 a minute. A second
recording whose attempt says nothing, so all of it counts, and a third that failed before it bought.
"""

import dataclasses
from datetime import date, timedelta
from decimal import Decimal

import pytest

from cli.cost_tables.cost_rows import query_costs
from escriba.billing.price_book import read_price_book, total
from escriba.billing.price_periods import run_usd
from escriba.reports.periods import month
from resources.costs_database.statement_figures import read_tenant
from resources.ledger.queries import open_ledger

OPENAI = {"backend": "openai", "sku": "whisper-1", "model": "whisper-1"}
PYANNOTE = {"backend": "pyannote_ai", "sku": "p2", "model": "speakers:pyannote_ai"}
PRICE = "pyannote_ai,p2,audio_minute,0.002,2020-01-01,,test\n"


@pytest.fixture(scope="module")
def rows(attempt, day):
    def job(name, number, hour, *, bought, **changes):
        row = attempt(name, started_at=day + timedelta(hours=hour), ran=30.0)
        row = dataclasses.replace(row, attempt=number, attempt_id=f"acme:{name}:{number}")
        return dataclasses.replace(row, bought_audio_seconds=bought, **changes)

    same = {"recording": "acme/a.mp3"}
    return [
        job("words", 1, 9, bought=300.0, status="lost", rtf=None, **OPENAI, **same),
        job("words", 2, 10, bought=330.0, **OPENAI, **same),
        job("people", 1, 11, bought=0.0, status="lost", rtf=None, **PYANNOTE, **same),
        job("people", 2, 12, bought=600.0, **PYANNOTE, **same),
        job("b", 1, 13, bought=None, **OPENAI),
        job("c", 1, 14, bought=0.0, status="failed", rtf=None, **OPENAI),
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory, new_costs, rows):
    made = new_costs(tmp_path_factory.mktemp("bought"))
    book = made.settings.price_book
    book.write_text(book.read_text() + PRICE)
    prices = read_price_book(book)
    made.write(*(dataclasses.replace(row, cost_usd=cost_of(prices, row)) for row in rows))
    made.load()
    made.build()
    return made


def cost_of(prices, row):
    return run_usd(
        prices.tariff(row.backend, row.sku, row.queued_at),
        row.started_at,
        run_seconds=row.run_seconds,
        audio_seconds=row.audio_seconds,
        bought_seconds=row.bought_audio_seconds,
    )


def test_each_attempt_costs_what_it_bought(built):
    found = dict(built.ask("SELECT attempt_id, run_usd FROM intermediate.int_run_days"))

    assert found == {
        "acme:words:1": Decimal("0.03"),
        "acme:words:2": Decimal("0.033"),
        "acme:people:1": Decimal(0),
        "acme:people:2": Decimal("0.02"),
        "acme:b:1": Decimal("0.06"),
        "acme:c:1": Decimal(0),
    }


def test_the_marts_and_the_billing_of_pipelines_come_to_the_same_sum(built, rows):
    prices = read_price_book(built.settings.price_book)

    [(found,)] = built.ask("SELECT sum(cost_usd) FROM marts.daily_spend")

    assert found == total(cost_of(prices, row) for row in rows) == Decimal("0.143")


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ("SELECT sum(audio_seconds) FILTER (category = 'run') FROM marts.daily_spend", 1200),
        ("SELECT sum(audio_seconds) FILTER (category = 'run') FROM marts.spend_by_tag", 1200),
        ("SELECT sum(audio_hours) * 3600 FROM marts.tenant_months", 1200),
        ("SELECT sum(audio_hours) * 3600 FROM marts.backend_performance", 1200),
        ('SELECT sum("x_AudioSeconds") FROM marts.focus_charges', 1200),
        # the third one counts as it was tried
        ("SELECT sum(worked_audio_seconds) FROM marts.cost_per_recording", 1800),
        ("SELECT sum(audio_hours) * 3600 FROM marts.unit_economics", 1800),
    ],
)
def test_hours_of_audio_count_once_although_speakers_were_a_job_of_their_own(built, query, hours):
    assert built.ask(query) == [(pytest.approx(hours),)]


def test_an_hour_of_a_recording_costs_its_words_and_its_speakers(built):
    """0.03 + 0.033 + 0.02 for ten minutes."""
    query = "SELECT usd_per_audio_hour FROM marts.cost_per_recording WHERE recording = 'acme/a.mp3'"

    assert built.ask(query) == [(Decimal("0.498"),)]


def test_what_was_consumed_is_what_was_bought(built):
    """5 and 5.5 minutes, 10 of the one that says nothing, and 10 of speakers."""
    found = built.ask(
        'SELECT "x_Backend", sum("ConsumedQuantity")::DOUBLE, min("ConsumedUnit") '
        "FROM marts.focus_charges GROUP BY 1 ORDER BY 1"
    )

    assert found == [("openai", 20.5, "Minutes"), ("pyannote_ai", 10.0, "Minutes")]


def test_a_statement_and_the_command_costs_have_the_audio_once(built):
    march = month("2026-03", date(2026, 4, 1))
    found = read_tenant(built.settings.costs_database, "acme", march)
    with open_ledger(built.storage, tables=["attempts"]) as ledger:
        [row] = query_costs(ledger, "tenant")

    assert found.now.audio_seconds == 1200
    assert row["audio_seconds"] == row["computed_audio_seconds"] == 1200
    assert row["cost_usd"] == Decimal("0.143")
