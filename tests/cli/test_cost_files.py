"""The cost tables as files that finance opens: every row, numbers as numbers, names as names."""

import csv
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from click.testing import CliRunner

from cli.commands import costs as costs_command
from cli.commands import report as report_command
from cli.commands import sql as sql_command
from cli.cost_tables.overheads import limit_lines
from escriba.billing.permissions import SpendLimits
from escriba.reports.sheets import MOST_ROWS, Sheet, SheetsError, csv_text, save_csv, save_xlsx
from escriba.settings import load_settings
from intake.tenants import tag_rules
from resources.costs_database.load_ledger import load_ledger

TENANTS = """\
tenants:
  acme: {cost_center: "100", charge: {markup: 0.5}, budget: {month_usd: 5, owners: [a@x.org]}}
  beta: {project: lectures, charge: {usd_per_audio_hour: 3}}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, new_costs, rows, bills_of_the_day):
    """The day worked by hand, with tags and terms; and settings that name it."""
    folder = tmp_path_factory.mktemp("files")
    made = new_costs(folder)
    (folder / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    told = made.settings.model_dump(include=made.settings.model_fields_set)
    made.settings = load_settings(**told, tenants_file=folder / "tenants.yaml")
    for batch in [*rows, bills_of_the_day]:
        made.write(*batch)
    rules = tag_rules(made.settings.tenants_file)
    limits = {"acme": SpendLimits(month_usd=Decimal(5))}
    load_ledger(made.storage, made.settings.costs_database, limits, rules)
    made.build()
    return made


@pytest.fixture
def ask(place, monkeypatch, tmp_path):
    for name in ("storage_url", "costs_database", "price_book", "tenants_file"):
        monkeypatch.setenv(name.upper(), str(getattr(place.settings, name)))
    monkeypatch.chdir(tmp_path)

    def run(module, *words):
        return CliRunner().invoke(module.command, list(words), catch_exceptions=False)

    return run


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("group", ["tenant", "cost_center", "project", "recording"])
def test_the_rows_of_costs_are_the_same_in_every_form(ask, tmp_path, group):
    told = json.loads(ask(costs_command, "--by", group, "--json").stdout)["rows"]

    done = ask(costs_command, "--by", group, "--csv", "a.csv", "--xlsx", "a.xlsx")

    assert done.exit_code == 0, done.output
    assert [row[group] for row in read(tmp_path / "a.csv")] == [str(row["name"]) for row in told]
    assert [Decimal(row["cost_usd"]) for row in read(tmp_path / "a.csv")] == [
        Decimal(row["cost_usd"]) for row in told
    ]
    headings, *cells = openpyxl.load_workbook(tmp_path / "a.xlsx").active.values
    column = headings.index("cost_usd")
    assert [row[column] for row in cells] == [float(row["cost_usd"]) for row in told]


@pytest.mark.parametrize("group", ["cost_center", "project"])
def test_by_tag_all_of_daily_spend_is_there(ask, place, group):
    told = json.loads(ask(costs_command, "--by", group, "--json").stdout)
    [(wanted,)] = place.ask("SELECT sum(cost_usd)::VARCHAR FROM marts.daily_spend")
    [(wasted,)] = place.ask(
        "SELECT sum(cost_usd)::VARCHAR FROM marts.waste WHERE kind NOT IN ('cold', 'idle')"
    )

    assert told["all_usd"] == wanted
    assert sum(Decimal(row["wasted_usd"]) for row in told["rows"]) == Decimal(wasted)
    assert {row["name"] for row in told["rows"]} == {
        "",
        "100" if group == "cost_center" else "lectures",
    }


def test_what_is_charged_stands_beside_what_it_cost(ask):
    told = json.loads(ask(costs_command, "--by", "tenant", "--json").stdout)["rows"]
    acme, beta, nobody = told
    parts = ("cost_usd", "boot_usd", "idle_usd", "unexplained_usd", "beside_machines_usd")
    cost = sum(Decimal(acme[part]) for part in parts)

    cents = Decimal("0.01")
    assert Decimal(acme["charged_usd"]) == (cost.quantize(cents) * Decimal("1.5")).quantize(cents)
    assert beta["charged_usd"] == "0.51"  # by hand: 600 s are 0.17 h, at 3 an hour
    assert "charged_usd" not in nobody


def test_a_limit_says_who_is_told(place):
    told = [line for line in limit_lines(place.settings, place.storage) if "acme" in line]

    assert told
    assert all(line.endswith(" Notified: a@x.org.") for line in told)


def test_every_mart_is_a_file_with_all_its_rows(ask, place, tmp_path):
    done = ask(costs_command, "--mart", "all", "--csv", "marts", "--xlsx", "all.xlsx", "--json")

    counts = json.loads(done.stdout)["files"]
    names = [
        name
        for (name,) in place.ask(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY 1"
        )
    ]
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert book.sheetnames == names
    for name in names:
        [(rows,)] = place.ask(f"SELECT count(*) FROM marts.{name}")
        assert counts[f"marts/{name}.csv"] == len(read(tmp_path / "marts" / f"{name}.csv")) == rows
        assert book[name].max_row == rows + 1


def test_a_mart_that_is_none_is_named_with_those_that_are(ask):
    done = ask(costs_command, "--mart", "dayly_spend", "--csv", "a.csv")

    assert done.exit_code == 2
    assert "no cost table 'dayly_spend'. Choose from" in done.stderr
    assert ask(costs_command, "--mart", "idle").exit_code == 2


def test_an_answer_in_sql_is_a_workbook_too(ask, tmp_path):
    ask(sql_command, "SELECT 1 AS one, DATE '2026-03-10' AS day, 0.25 AS usd", "--xlsx", "a.xlsx")

    headings, row = openpyxl.load_workbook(tmp_path / "a.xlsx").active.values
    assert headings == ("one", "day", "usd")
    assert row == (1, datetime(2026, 3, 10), 0.25)  # noqa: DTZ001  # as a sheet has it


def test_the_figures_of_a_report_are_tables(ask, tmp_path):
    words = ("--month", "2026-03", "--csv", "spend.csv", "--xlsx", "all.xlsx", "--no-refresh")
    done = ask(report_command, *words, "--json")

    assert json.loads(done.stdout)["tables"] == ["spend.csv", "all.xlsx"]
    spent = sum(Decimal(row["usd"]) for row in read(tmp_path / "spend.csv"))
    assert f"{spent:.2f}" in json.loads(done.stdout)["headline"]
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert {"spend", "speed", "recordings", "unit_costs", "tags"} <= set(book.sheetnames)


NAMES = ["=cmd()", "+1+1", "-1+1", "@x", "\tx"]
SHOWN = [(name, name.replace("\t", "⇥").replace("\r", "⏎")) for name in NAMES]


def test_a_name_is_never_a_formula(tmp_path):
    sheet = Sheet("s", ["name", "usd"], [(name, Decimal("-0.5")) for name in NAMES])
    save_xlsx(tmp_path / "a.xlsx", [sheet])

    rows = [line.split(",") for line in csv_text(sheet).splitlines()[1:]]
    assert rows == [[shown if name != shown else f"'{name}", "-0.5"] for name, shown in SHOWN]
    cells = list(openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows(min_row=2))
    assert [(row[0].value, row[0].data_type, row[1].value) for row in cells] == [
        (shown, "s", -0.5) for _, shown in SHOWN
    ]


def test_what_fails_leaves_the_file_as_it_was(tmp_path):
    def broken():
        yield (1,)
        raise OSError("gone")

    path = tmp_path / "a.csv"
    path.write_text("before")
    with pytest.raises(OSError, match="gone"):
        save_csv(path, Sheet("s", ["one"], broken()))
    with pytest.raises(SheetsError, match=f"more than {MOST_ROWS:,} rows"):
        save_xlsx(path, [Sheet("s", ["one"], ((n,) for n in range(MOST_ROWS + 1)))])

    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_times_are_utc_and_what_is_no_number_is_a_word(tmp_path):
    at = datetime.fromisoformat("2026-03-10T23:30:00-03:00")
    row = (at, date(2026, 3, 10), True, None, float("inf"), 7)
    save_xlsx(tmp_path / "a.xlsx", [Sheet("s", list("abcdef"), [row])])

    [_, cells] = openpyxl.load_workbook(tmp_path / "a.xlsx").active.values
    when = at.astimezone(UTC).replace(tzinfo=None)
    assert cells == (when, datetime(2026, 3, 10), True, None, "inf", 7)  # noqa: DTZ001
