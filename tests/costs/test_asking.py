"""`escriba sql` and the twenty questions of docs/costs.md."""

import re

import duckdb
import pytest

from pipelines.settings import HOUSE
from resources.costs.asking import open_for_questions
from resources.costs.reading import CostsNotBuiltError
from resources.ledger import open_ledger

PAGE = (HOUSE / "docs" / "costs.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^### (\d+\. [^\n]+)\n```sql\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def ask(built):
    with open_for_questions(built.settings.costs_database) as connection:
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
        open_for_questions(costs.settings.costs_database),
    ):
        pass
    costs.load()

    with open_for_questions(costs.settings.costs_database) as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchall() == [(1,)]
