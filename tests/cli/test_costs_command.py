"""`escriba costs` where the cost tables are built."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from click.testing import CliRunner
from rich.console import Console

from cli.commands.costs import command
from cli.cost_tables.cost_table import costs_table
from cli.cost_tables.overheads import limit_lines
from escriba.billing.attempt_times import attempt_times_of
from escriba.billing.permissions import SpendLimits
from escriba.settings import HOUSE
from resources.spending.reservations import Reservation, Spending

GROUPS = ("recording", "tenant", "backend", "model", "day")


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
        "0.000475000",
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


def test_each_limit_is_a_line_and_says_what_the_gate_counts(costs, attempt):
    """100 s at 0.00016, which the tables have, and 0.40 of an attempt that has not ended."""
    now = datetime.now(UTC)
    row, one = attempt("a", started_at=now, ran=100.0), Reservation("acme", "a", 1, "0", Decimal(1))
    costs.write(row)
    costs.load(all=SpendLimits(day_usd=Decimal("0.01"), month_usd=Decimal(5)))
    costs.build(checks=False, as_of=now)
    times = attempt_times_of(
        row, None, created_at=now, reserved_usd=one.usd, overhead_usd=Decimal(0)
    )
    gate = Spending(costs.storage)
    gate.settle(one, times, now + timedelta(seconds=100))
    gate.reserve(Reservation("acme", "b", 1, "0", Decimal("0.4")))

    first, second = limit_lines(costs.settings, costs.storage)

    told = "DAILY_COST_THRESHOLD: 0.02 of 0.01 USD, 0.40 reserved, nothing left, today."
    assert first == f"!! {told}"
    month = "MONTHLY_COST_THRESHOLD: 0.02 of 5.00 USD, 0.40 reserved, 4.58 left, this month;"
    assert second.startswith(f"   {month}")


def test_without_tables_the_limits_of_the_settings_are_told_as_soon_as_money_is_asked_for(costs):
    assert list(limit_lines(costs.settings, costs.storage)) == []

    Spending(costs.storage).reserve(Reservation("acme", "b", 1, "0", Decimal("0.4")))

    [day, _] = limit_lines(costs.settings, costs.storage)
    assert day == "   DAILY_COST_THRESHOLD: 0.00 of 50.00 USD, 0.40 reserved, 49.60 left, today."


@pytest.fixture(scope="module")
def billed(tmp_path_factory, new_costs, attempt, session, bill):
    """Two backends' bills, one of them on a day without a job; a job that was done twice."""
    a = attempt("[bold]a[/bold]")
    noon, hour = a.started_at, timedelta(hours=1)
    lost = attempt("[/]", status="lost", rtf=None, started_at=noon + hour)
    once = attempt("g", started_at=noon + 3 * hour, ran=50.0)
    twice = {"attempt": 2, "attempt_id": "acme:g:2", "started_at": noon + 3 * hour}
    empty_day = {"period_start": noon + 36 * hour, "period_end": noon + 60 * hour}
    made = new_costs(tmp_path_factory.mktemp("billed"))
    made.write(a, session(a), lost, once, attempt("g", ran=60.0, **twice))
    made.write(bill("runpod", "0.30"), bill("runpod", "0.05", "storage"))
    made.write(bill("runpod", "0.02", "tax"), bill("runpod", "-0.01", "credit"))
    made.write(bill("aws_gpu", "0.14", **empty_day), bill("aws_gpu", "0.03", "network"))
    made.load(all=SpendLimits())
    made.build(checks=True)
    return made


def escriba(costs, *words):
    """As people type it."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in keep if name in os.environ} | {
        "PYTHONPATH": str(HOUSE),
        "STORAGE_URL": costs.settings.storage_url,
        "COSTS_DATABASE": str(costs.settings.costs_database),
        "PRICE_BOOK": str(costs.settings.price_book),
    }
    return subprocess.run(
        [sys.executable, "-m", "cli", "costs", *words],
        cwd=costs.settings.costs_database.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def told(billed, monkeypatch):
    """By group, as programs read it."""
    for name in ("storage_url", "costs_database", "price_book"):
        monkeypatch.setenv(name.upper(), str(getattr(billed.settings, name)))

    def of(group):
        done = CliRunner().invoke(command, ["--by", group, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return of


@pytest.mark.parametrize("group", GROUPS)
def test_the_total_by_any_group_is_all_of_daily_spend(told, billed, group):
    [(wanted,)] = billed.ask("SELECT sum(cost_usd)::VARCHAR FROM marts.daily_spend")
    parts = ("cost_usd", "boot_usd", "idle_usd", "unexplained_usd", "beside_machines_usd")

    found = told(group)

    assert found["all_usd"] == wanted == "0.530000000"
    summed = sum(Decimal(row[part]) for row in found["rows"] for part in parts)
    assert f"{summed:f}" == wanted


@pytest.mark.parametrize(
    ("group", "name", "unexplained", "beside"),
    [
        ("recording", "unallocated", "0.36875", "0.09"),
        ("tenant", "unallocated", "0.36875", "0.09"),
        ("model", "", "0.36875", "0.09"),
        ("backend", "aws_gpu", "0.14", "0.03"),
        ("day", "2026-03-12", "0.14", "0"),
    ],
)
def test_what_only_the_bills_know_has_a_row(told, group, name, unexplained, beside):
    [row] = [one for one in told(group)["rows"] if one["name"] == name]

    assert row["attempts"] == 0
    assert Decimal(row["beside_machines_usd"]) == Decimal(beside)
    assert Decimal(row["unexplained_usd"]) == Decimal(unexplained)


def test_an_attempt_at_what_was_done_already_is_waste_as_in_the_cost_tables(told, billed):
    [wanted] = billed.ask(
        "SELECT sum(attempts), sum(cost_usd)::VARCHAR FROM marts.waste "
        "WHERE kind NOT IN ('cold', 'idle')"
    )
    [row] = [one for one in told("tenant")["rows"] if one["name"] == "acme"]

    assert (row["wasted_attempts"], row["wasted_usd"]) == wanted == (2, "0.030400000")


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_table_fits_the_terminal_and_no_figure_is_cut(told, width):
    rows = told("tenant")["rows"]
    for row in rows:
        for name in row:
            if name.endswith("_usd") or name == "usd_on_runpod_l4":
                row[name] = Decimal(row[name]) + 1234
    out = Console(file=io.StringIO(), width=width, markup=False)

    out.print(costs_table(rows, "tenant", out))

    text = out.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "2468.058900" in text
    assert "…" not in text
    assert ("RunPod L4" in text) == (width == 140)


def test_brackets_in_a_name_are_brackets_and_what_bills_add_has_a_column(billed):
    done = escriba(billed)

    assert done.returncode == 0, done.stderr
    assert "acme/[bold]a[/bold].mp3" in done.stdout
    assert "acme/[/].mp3" in done.stdout
    assert "charges" in done.stdout
    assert "Total with boot, idle and invoices: 0.530000 USD.\n" in done.stdout
    assert " (none) " in escriba(billed, "--by", "model").stdout


def test_a_price_book_without_what_others_cost_shows_the_rest(told, monkeypatch, tmp_path):
    book = tmp_path / "prices.csv"
    book.write_text(
        "backend,sku,unit,price_usd,valid_from,valid_to,source\n"
        "aws_gpu,g5.xlarge,machine_hour,0.47,2020-01-01,,test\n"
    )
    monkeypatch.setenv("PRICE_BOOK", str(book))

    rows = told("backend")["rows"]

    assert {row["usd_on_runpod_l4"] for row in rows} == {None}
    for row in rows:
        row |= {name: Decimal(value) for name, value in row.items() if name.endswith("_usd")}
    out = Console(file=io.StringIO(), width=140, markup=False)
    out.print(costs_table(rows, "backend", out))
    assert "0.058900" in out.file.getvalue()
    assert "RunPod L4" not in out.file.getvalue()


def test_tables_that_are_older_than_the_ledger_are_told_of(costs, attempt):
    costs.write(attempt("a"))
    costs.load()
    costs.build(checks=False)
    assert "The cost tables have" not in escriba(costs).stdout
    costs.write(attempt("b", attempt_id="acme:b:1"))

    done = escriba(costs)

    assert "Total with boot, idle and invoices: 0.038000 USD." in done.stdout
    assert "The cost tables have 0.019000 USD: they are older than the" in done.stdout


def test_while_the_tables_are_built_the_attempts_are_shown_and_copies_are_refused(billed):
    with duckdb.connect(str(billed.settings.costs_database)):
        shown = escriba(billed)
        refused = escriba(billed, "--export-focus", "f.parquet")

    assert shown.returncode == 0
    assert "boot, idle and invoices are not included." in shown.stderr
    assert "All together" not in shown.stdout
    assert refused.returncode == 1
    assert "Error: COSTS_DATABASE: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_rebuild_and_a_compaction_say_what_they_did(billed):
    done = escriba(billed, "--rebuild", "--compact")

    assert done.returncode == 0, done.stderr
    first, second = done.stderr.splitlines()
    assert first == "Rebuilt the rows of 0 attempts from their records."
    assert "files of" in second


@pytest.mark.parametrize(
    "words",
    [
        ("--mirror", "--export-focus", "f.parquet"),
        ("--mirror", "--by", "recording"),
        ("--mirror", "--rebuild"),
        ("--export-focus", "f.parquet", "--compact"),
        ("--export-focus", "f.parquet", "--by", "day"),
    ],
)
def test_what_would_be_passed_over_in_silence_is_refused(words):
    done = CliRunner().invoke(command, list(words))

    assert done.exit_code == 2
    assert "use each without" in done.stderr
