"""What is said beside figures: old tables, prices that are missing, rates that are assumed."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from cli import escriba
from resources.costs_database.build_marts import CostsBuildError
from resources.costs_database.build_notes import failed_build, price_notes
from resources.invoices.import_invoices import DeliveryFiles, import_invoices

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
BROKEN = (
    "backend,sku,unit,price_usd,valid_from,valid_to,source\nrunpod,l4,lightyear,1,2020-01-01,,x\n"
)


@pytest.fixture
def house(costs, monkeypatch):
    """The command line at work on it; what it says on standard output and error."""
    for name in ("storage_url", "costs_database", "price_book"):
        monkeypatch.setenv(name.upper(), str(getattr(costs.settings, name)))

    def ask(*words):
        done = CliRunner().invoke(escriba, list(words))
        return done.stdout, done.stderr

    return ask


def test_tables_that_are_older_than_the_last_build_say_so_until_one_ends_well(
    costs, attempt, house
):
    costs.write(attempt())
    costs.load()
    costs.build()
    assert failed_build(costs.settings.costs_database) == ""
    whole = costs.settings.price_book.read_text()
    costs.settings.price_book.write_text(BROKEN)
    with pytest.raises(CostsBuildError):
        costs.build()
    costs.settings.price_book.write_text(whole)

    told = (
        r"The cost tables are from 20.* UTC: the build at 20.* UTC failed. PRICE_BOOK: .*lightyear"
    )
    assert_told(failed_build(costs.settings.costs_database), told)
    for words in (("costs",), ("sql", "--stale", "FROM daily_spend")):
        assert_told(house(*words)[1], told)
    costs.build()
    assert failed_build(costs.settings.costs_database) == ""


def assert_told(said, pattern):
    assert re.search(pattern, said), said


def test_an_attempt_without_a_price_is_told(costs, attempt, house):
    costs.write(attempt(sku="rtx9", ran=50.0), attempt("b"))
    costs.load()
    costs.build(checks=False)

    told = "PRICE_BOOK has no price for runpod/rtx9 for 1 attempts (2026-03-10 to 2026-03-10)"
    assert [line.partition(":")[0] for line in price_notes(costs.settings.costs_database)] == [told]
    for words in (("costs",), ("sql", "FROM daily_spend")):
        assert told in house(*words)[1]


def test_what_an_assumed_rate_made_is_called_that_wherever_it_is_told(
    costs, rates, write_json, bills, house
):
    """1.75 BRL less 0.75 of credits, at the 0.2 that is shipped as an assumption."""
    path = write_json("export.jsonl", bills.gcp)
    done = import_invoices(costs.storage, [path], rates, DeliveryFiles(), APRIL)
    told = "assumed rate from EXCHANGE_RATES: 1 BRL = 0.2 USD since 2020-01-01 (assumption: put in"
    assert told in done.sentence
    costs.load()
    costs.build()

    assert f"0.20 USD of the bills are converted at an {told}" in house("costs")[1]
    assert costs.ask(
        "SELECT category, cost_usd, is_by_assumed_rate FROM marts.daily_spend ORDER BY 1"
    ) == [("credit", Decimal("-0.15"), True), ("unexplained", Decimal("0.35"), True)]
    assert costs.ask('SELECT DISTINCT "x_IsByAssumedRate" FROM marts.focus_charges') == [(True,)]


def test_googles_own_rate_is_used_and_named(take, kept, write_json, bills):
    """5 BRL to the dollar: 1.75 BRL are 0.35 USD, and at 4 they are 0.4375."""
    own = bills.gcp | {"currency_conversion_rate": 4, "credits": []}
    done = take(write_json("export.jsonl", own))

    [row] = kept()
    assert row.amount_usd == Decimal("0.4375")
    assert row.rate_source == "the bill: 4 BRL for 1 USD"
    assert "Converted by the bill: 4 BRL for 1 USD." in done.sentence
