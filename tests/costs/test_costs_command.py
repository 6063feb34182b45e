"""`escriba costs` where the cost tables are built."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from pipelines.billing.policy import Limits
from pipelines.cli.costs import command
from pipelines.cli.overheads import limit_lines


@pytest.fixture
def ask(built, monkeypatch):
    monkeypatch.setenv("STORAGE_URL", built.settings.storage_url)
    monkeypatch.setenv("COSTS_DATABASE", str(built.settings.costs_database))
    return lambda *words: json.loads(CliRunner().invoke(command, [*words, "--json"]).stdout)


def test_boot_and_idle_stand_beside_the_runs_of_a_recording(ask):
    [a] = [row for row in ask()["rows"] if row["name"] == "acme/a.mp3"]

    assert (a["cost_usd"], a["boot_usd"], a["idle_usd"]) == (
        "0.019000000",
        "0.002850000",
        "0.001187500",
    )


@pytest.mark.parametrize("group", ["tenant", "backend", "model", "day"])
def test_all_boot_and_idle_that_jobs_carry_is_there_by_any_group(ask, built, group):
    [(wanted,)] = built.ask("SELECT sum(boot_usd + idle_usd) FROM marts.idle WHERE is_allocated")

    rows = ask("--by", group)["rows"]

    assert sum(Decimal(row["boot_usd"]) + Decimal(row["idle_usd"]) for row in rows) >= wanted


def test_what_no_bill_explains_is_its_backends(ask, built):
    found = dict(
        built.ask(
            "SELECT backend, sum(unexplained_usd)::VARCHAR FROM marts.reconciliation GROUP BY 1"
        )
    )

    rows = {row["name"]: row["unexplained_usd"] for row in ask("--by", "backend")["rows"]}

    assert {name: rows[name] for name in found} == found


def test_each_limit_is_a_line(costs, attempt):
    now = datetime.now(UTC)
    costs.write(attempt("a", started_at=now, ran=100.0))
    costs.load(all=Limits(day_usd=Decimal("0.01"), month_usd=Decimal(5)))
    costs.build(checks=False, as_of=now)

    first, second = limit_lines(costs.settings)
    assert first == "!! DAILY_COST_THRESHOLD: 0.02 of 0.01 USD, nothing left, today."
    assert second.startswith("   MONTHLY_COST_THRESHOLD: 0.02 of 5.00 USD, 4.98 left, this month;")
