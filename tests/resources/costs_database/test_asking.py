"""`escriba sql` and the twenty questions of docs/costs.md."""

import json
import os
import re
import subprocess
import sys

import duckdb
import pytest

from escriba.settings import HOUSE
from resources.costs_database.database_file import CostsNotBuiltError
from resources.costs_database.locked_queries import open_for_queries
from resources.ledger.queries import open_ledger

PAGE = (HOUSE / "docs" / "costs.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^### (\d+\. [^\n]+)\n```sql\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def ask(built):
    with open_for_queries(built.settings.costs_database) as connection:
        yield lambda query: connection.execute(query).fetchall()


def test_there_are_twenty_questions_in_their_order():
    assert [int(name.partition(".")[0]) for name, _ in QUESTIONS] == list(range(1, 21))
    assert len({query for _, query in QUESTIONS}) == 20


@pytest.mark.parametrize("query", [pytest.param(sql, id=name) for name, sql in QUESTIONS])
def test_a_question_of_the_page_has_an_answer(ask, query):
    assert ask(query)


def test_attempts_and_instances_are_those_of_the_bucket(ask, built):
    """Whichever way somebody asks: through the database, or through the files."""
    with open_ledger(built.storage) as ledger:
        for table in ("attempts", "instances"):
            wanted = ledger.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            assert wanted
            assert ask(f"SELECT * FROM {table} ORDER BY ALL") == wanted


@pytest.mark.parametrize(
    "query",
    [
        "COPY daily_spend TO 'stolen.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH 'other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "DELETE FROM ledger.attempts",
        "CREATE TABLE marts.mine AS SELECT 1",
    ],
)
def test_a_question_reaches_no_file_no_network_and_no_setting(ask, query):
    with pytest.raises(duckdb.Error):
        ask(query)


def test_the_ledger_can_be_asked_before_anything_is_built(costs, attempt):
    costs.write(attempt())
    with (
        pytest.raises(CostsNotBuiltError, match="COSTS_DATABASE"),
        open_for_queries(costs.settings.costs_database),
    ):
        pass
    costs.load()

    with open_for_queries(costs.settings.costs_database) as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchall() == [(1,)]


@pytest.fixture
def escriba(built, tmp_path):
    """The command as people type it, on what is built."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in keep if name in os.environ} | {
        "PYTHONPATH": str(HOUSE),
        "STORAGE_URL": built.settings.storage_url,
        "COSTS_DATABASE": str(built.settings.costs_database),
    }

    def call(*words, **settings):
        return subprocess.run(
            [sys.executable, "-m", "cli", "sql", *words],
            cwd=tmp_path,
            env=environment | settings,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


@pytest.mark.parametrize("query", ["", "  ;", "-- how much?"])
def test_where_no_question_is_asked_that_is_said(escriba, query):
    done = escriba("--no-refresh", "--", query)

    assert done.returncode == 2
    assert "QUERY contains no statement" in done.stderr


def test_brackets_are_brackets_and_numbers_stand_right_whatever_is_in_the_first_row(escriba):
    done = escriba(
        "--no-refresh",
        "SELECT NULL::INTEGER AS \"[/]\", '[bold]x[/bold].mp3' AS name, 0::DECIMAL(18, 9) AS usd "
        "UNION ALL SELECT 12345678, '[/]', 2 ORDER BY 1 NULLS FIRST",
    )
    title, _, heading, _, first, second, *_ = done.stdout.splitlines()

    assert title.rstrip() == "2 rows"
    assert heading.split() == ["[/]", "name", "usd"]
    assert heading.index("[/]") + len("[/]") == second.index("12345678") + len("12345678")
    assert first.split() == ["[bold]x[/bold].mp3", "0.000000000"]
    assert second.split() == ["12345678", "[/]", "2.000000000"]


def test_programs_get_json_and_csv_that_are_valid_and_money_in_plain_digits(escriba):
    query = (
        "SELECT 0::DECIMAL(18, 9) AS usd, 'NaN'::DOUBLE AS a, '-Infinity'::DOUBLE AS b, "
        "[1.5::DOUBLE, 'Infinity'] AS c, {'d': 0::DECIMAL(18, 9)} AS e"
    )

    def no_constant(name):
        raise AssertionError(name)

    [row] = json.loads(escriba("--no-refresh", "--json", query).stdout, parse_constant=no_constant)
    zero = "0.000000000"
    assert row == {"usd": zero, "a": None, "b": None, "c": [1.5, None], "e": {"d": zero}}
    assert escriba("--no-refresh", "--csv", "SELECT 0::DECIMAL(18, 9) AS usd").stdout.split() == [
        "usd",
        zero,
    ]


def test_a_question_that_is_wrong_is_told_from_a_database_that_is(escriba, tmp_path):
    wrong = escriba("--no-refresh", "SELEC 1")
    assert wrong.returncode == 2
    assert "QUERY is not valid: Parser Error" in wrong.stderr

    folder = tmp_path / "folder.duckdb"
    folder.mkdir()
    broken = escriba("SELECT 1", COSTS_DATABASE=str(folder))
    assert broken.returncode != 0
    assert "Traceback" not in broken.stderr
    assert "is not valid" not in broken.stderr


def test_a_limit_that_no_table_holds_is_refused_by_its_name(escriba, tmp_path):
    done = escriba("SELECT 1", DAILY_COST_THRESHOLD="1e9")
    assert done.returncode == 2
    assert "DAILY_COST_THRESHOLD: Input should be less than 1000000000" in done.stderr

    (tmp_path / "tenants.yaml").write_text("tenants:\n  acme:\n    budget:\n      day_usd: 1e9\n")
    done = escriba("SELECT 1")
    assert done.returncode == 2
    assert "tenants.yaml, tenant 'acme', 'budget.day_usd': it must be less than" in done.stderr
