"""What a night cost is in its digest what the cost tables and `escriba costs` say of it."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner

from cli import escriba
from intake.night import write_digest


@pytest.fixture
def night(costs, attempt, session, day):
    """A run of 100 s with a minute of boot and 5 s of idle, and one that failed after 50 s."""
    done = attempt("a")
    failed = attempt("b", ran=50.0, status="failed", cost_usd=Decimal(9))  # by an older price
    costs.write(done, session(done), failed)
    costs.load()
    return lambda: write_digest(
        costs.settings, costs.storage, "2026-03-10", day + timedelta(hours=20)
    )


def test_a_digest_counts_boot_idle_and_todays_prices_as_escriba_costs_does(
    costs, night, monkeypatch
):
    digest = night()

    assert digest.spent_usd == (100 + 60 + 5 + 50) * Decimal("0.00019")
    assert digest.wasted_usd == 50 * Decimal("0.00019")
    for name in ("storage_url", "costs_database", "price_book"):
        monkeypatch.setenv(name.upper(), str(getattr(costs.settings, name)))
    told = json.loads(CliRunner().invoke(escriba, ["costs", "--json"]).stdout)
    assert Decimal(told["all_usd"]) == digest.spent_usd
    assert digest.without_tables == ""


def test_where_the_tables_cannot_be_built_the_digest_says_why_and_what_its_money_is(costs, night):
    costs.settings.price_book.write_text(
        "backend,sku,unit,price_usd,valid_from,valid_to,source\nrunpod,l4,lightyear,1,2020-01-01,,x\n"
    )

    digest = night()

    assert digest.spent_usd == Decimal("9.019")
    page = costs.storage.read("digests/2026-03-10.md").decode()
    assert "Amounts cover run time alone" in page
    assert "lightyear" in page
