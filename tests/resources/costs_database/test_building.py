"""Builds of the marts: incremental as full, killed as whole, and what is told when one fails."""

import dataclasses
import json
import random
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from escriba.billing.permissions import SpendLimits
from escriba.settings import HOUSE
from resources.costs_database.build_marts import CostsBuildError, _variables
from resources.costs_database.database import MEMORY_LIMIT
from tests.costs_fixtures import LATER


def test_an_incremental_build_makes_the_tables_of_a_full_one(
    costs, new_costs, rows, bills_of_the_day, built
):
    for batch in [*rows, bills_of_the_day]:
        costs.write(*batch)
        costs.load()
        was_full = costs.build(checks=False).was_full

    assert not was_full
    assert _without_limits(costs.tables()) == _without_limits(built.tables())


@pytest.mark.parametrize("piece_rows", [1, 3])
def test_built_in_pieces_the_tables_are_those_that_are_built_at_once(
    costs, rows, bills_of_the_day, built, piece_rows
):
    for batch in [*rows, bills_of_the_day]:
        costs.write(*batch)
        costs.load()
        costs.build(checks=False, piece_rows=piece_rows)
    by_what_changed = _without_limits(costs.tables())
    costs.build(full=True, piece_rows=piece_rows)

    assert by_what_changed == _without_limits(built.tables())
    assert _without_limits(costs.tables()) == by_what_changed


def _without_limits(tables):
    """That fixture has no limits, which are no part of the ledger."""
    return {name: rows for name, rows in tables.items() if name != "marts.budget_burn"}


def test_what_was_one_too_many_stays_so_when_only_the_day_after_it_is_built(
    costs, attempt, session, day
):
    """It ended 2 s before midnight, and its worker waited 5 s."""
    twice = attempt("a", started_at=day + timedelta(hours=23, minutes=59), ran=58.0)
    twice = dataclasses.replace(twice, attempt=2, attempt_id="acme:a:2")
    costs.write(attempt("a"), twice, session(twice))
    costs.load()
    costs.build(checks=False)
    costs.write(attempt("b", started_at=day + timedelta(hours=36)))
    costs.load()

    assert not costs.build(checks=False).was_full
    query = "SELECT day, waste FROM intermediate.int_attempt_charges WHERE attempt_id = 'acme:a:2'"
    assert sorted(costs.ask(query)) == [
        (day.date(), "duplicate"),
        (day.date() + timedelta(days=1), "duplicate"),
    ]


def test_an_empty_ledger_is_built_and_holds_all_rules(costs):
    costs.load()

    assert costs.build().tests > 50
    assert costs.ask("SELECT count(*) FROM marts.daily_spend") == [(0,)]


def test_another_price_book_builds_every_day_anew(costs, attempt):
    costs.write(attempt("a", ran=100.0))
    costs.load()
    assert costs.build(checks=False).was_full
    assert not costs.build(checks=False).was_full
    book = costs.settings.price_book
    book.write_text(book.read_text().replace("0.00019", "0.00029"))

    assert costs.build(checks=False).was_full
    assert str(costs.ask("SELECT cost_usd FROM marts.daily_spend")[0][0]) == "0.029000000"


def test_tables_that_are_current_are_built_again_only_where_something_changed(costs, attempt):
    def models(day=LATER):
        return costs.build(checks=False, unless_current=True, as_of=day).models

    def another_row():
        costs.write(attempt("b"))
        costs.load()

    def another_price():
        book = costs.settings.price_book
        book.write_text(book.read_text().replace("0.00019", "0.00029"))

    def another_share():
        costs.settings = costs.settings.model_copy(update={"budget_warn_share": Decimal("0.5")})

    costs.write(attempt("a"))
    costs.load()
    assert models()
    assert models() == 0
    for change in (
        another_row,
        lambda: costs.load(all=SpendLimits(day_usd=Decimal(1))),
        another_price,
        another_share,
    ):
        change()
        assert models(), change
        assert models() == 0, change
    assert models(LATER + timedelta(days=1))


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ("2026-03-10", "gap: there is no line for runpod/l4 from 2026-03-10 to 2026-03-11"),
        ("2026-03-12", "two prices of runpod/l4 overlap at 2026-03-11"),
    ],
)
def test_prices_with_a_gap_or_an_overlap_build_nothing(costs, attempt, ends, told):
    """Not even where no rules are checked, as for a question in SQL."""
    book = costs.settings.price_book
    book.write_text(book.read_text().replace("2026-03-11,test", f"{ends},test"))
    costs.write(attempt())
    costs.load()

    with pytest.raises(CostsBuildError, match=told):
        costs.build(checks=False)


def test_a_rule_that_does_not_hold_is_named(costs, attempt, bill):
    costs.write(attempt(), bill("runpod", "1", category="gift"))
    costs.load()

    with pytest.raises(CostsBuildError, match=r"accepted_values_stg_invoices.* failed"):
        costs.build()


def test_an_attempt_whose_price_is_gone_keeps_what_was_written_down(costs, attempt):
    costs.write(attempt(sku="h100", ran=100.0))
    costs.load()

    done = costs.build()

    assert costs.ask("SELECT cost_usd::VARCHAR FROM marts.daily_spend") == [("0.019000000",)]
    assert [text for text in done.warnings if "every_attempt_has_a_price" in text]


def test_dbt_sees_no_secret(costs, monkeypatch):
    monkeypatch.setenv("RUNPOD_API_KEY", "rpa_very_secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws_very_secret")
    monkeypatch.setenv("COSTS_POSTGRES_URL", "postgresql://u:very_secret@db/x")
    models = costs.settings.costs_database.with_name("costs.duckdb.dbt")
    costs.load()
    costs.build(checks=False)

    told = [path.read_bytes() for path in models.rglob("*") if path.is_file()]
    assert told
    assert not [text for text in told if b"very_secret" in text]


def test_dbt_ends_when_whoever_started_it_does():
    """Its standard input is a pipe of the parent's, which is closed by any death."""
    command = [sys.executable, "-m", "resources.costs_database.dbt_process", "build"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, cwd=HOUSE) as process:
        process.stdin.close()
        assert process.wait() == 3


def run_dbt_killed(step, folder, variables):
    """dbt's build in a process that kills itself at this step; its output.

    With the path and the variables of the builds before and after it, dbt parses the project once.
    """
    command = [sys.executable, str(HOUSE / "tests" / "costs_killed.py"), str(step), "dbt"]
    words = ["build", "--quiet", "--exclude-resource-type", "test", "--project-dir", str(folder)]
    words += ["--profiles-dir", str(folder), "--vars", variables]
    return subprocess.run(
        [*command, *words, "--exclude-resource-type", "unit_test"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={
            "ESCRIBA_COSTS_DATABASE": "../costs.duckdb",
            "ESCRIBA_COSTS_MEMORY": MEMORY_LIMIT,
            "PATH": "/usr/bin:/bin",
        },
    )


def test_killed_at_any_step_the_next_build_makes_the_same_tables(costs, rows, bills_of_the_day):
    """Of an incremental build; the first one is of the first rows alone."""
    costs.write(*rows[0])
    costs.load()
    costs.build(checks=False)
    costs.write(*rows[1], *rows[2], *bills_of_the_day)
    costs.load()
    database = costs.settings.costs_database
    before = database.with_name("before.duckdb")
    shutil.copyfile(database, before)
    costs.build(checks=False)
    wanted = costs.tables()
    project = database.with_name("costs.duckdb.dbt")
    shutil.copyfile(before, database)
    variables = json.dumps(_variables(costs.settings, LATER, None))
    steps = int(run_dbt_killed(0, project, variables).stdout.split()[-1])

    for step in random.Random(6).sample(range(1, steps), 3):
        shutil.copyfile(before, database)
        done = run_dbt_killed(step, project, variables)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        costs.build(checks=False)
        assert costs.tables() == wanted, step
