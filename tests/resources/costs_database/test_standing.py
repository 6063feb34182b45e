"""The file of the costs database: made anew where it is ours, never touched where it is not."""

import contextlib
import random
import re
import sqlite3
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from cli.commands.sql import command
from escriba.settings import SettingsError, load_settings
from resources.costs_database.build_marts import CostsBuildError
from resources.costs_database.database_file import CostsDamagedError, CostsNotBuiltError
from resources.costs_database.load_ledger import load_ledger
from resources.costs_database.read_only import is_synthetic, read_only
from resources.ledger.synthetic_mark import mark_synthetic

ATTEMPTS = "SELECT count(*) FROM ledger.attempts"


def damage(path):
    """Somewhere within, where nobody looks when it is opened."""
    whole = bytearray(path.read_bytes())
    whole[300_000:500_000] = random.Random(1).randbytes(200_000)
    path.write_bytes(whole)


def text(path):
    path.write_text("day;amount\n2026-03-10;12.5\n")


def sqlite(path):
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE customers (name TEXT)")


def another_duckdb(path):
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE SCHEMA ledger; CREATE TABLE ledger.attempts (theirs VARCHAR)")


@pytest.mark.parametrize("left", [0, 5, 5_000])
def test_one_of_ours_that_was_cut_off_is_made_anew(costs, attempt, left):
    costs.write(attempt())
    costs.load()
    path = costs.settings.costs_database
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(CostsDamagedError, match=r"costs\.duckdb is damaged"), read_only(path):
        pass

    costs.load()

    assert costs.ask(ATTEMPTS) == [(1,)]


def test_a_block_that_is_found_damaged_while_rows_are_merged_is_no_end(costs, attempt):
    rows = [attempt(f"{n}", model=f"model {n}") for n in range(20_000)]
    costs.write(*rows)
    costs.load()
    damage(costs.settings.costs_database)
    costs.write(*rows[::2], attempt("new"))

    costs.load()

    assert costs.ask(ATTEMPTS) == [(20_001,)]


def test_damage_that_a_question_meets_is_not_told_as_the_fault_of_the_question(
    costs, attempt, monkeypatch
):
    costs.write(*(attempt(f"{n}", model=f"model {n}") for n in range(20_000)))
    costs.load()
    damage(costs.settings.costs_database)
    monkeypatch.setenv("STORAGE_URL", costs.storage.url)
    monkeypatch.setenv("COSTS_DATABASE", str(costs.settings.costs_database))

    done = CliRunner().invoke(command, ["--no-refresh", "--csv", "FROM attempts"])

    assert done.exit_code == 1
    assert "costs.duckdb is damaged. Remove it" in done.stderr


def test_one_that_is_found_damaged_while_it_is_built_is_removed_and_never_empty_tables(
    costs, attempt
):
    costs.write(*(attempt(f"{n}", model=f"model {n}") for n in range(20_000)))
    costs.load()
    damage(costs.settings.costs_database)

    with pytest.raises(CostsBuildError, match=r"costs\.duckdb was damaged and is removed"):
        costs.build(checks=False)
    with pytest.raises(CostsBuildError, match=r"is empty\. Load the ledger first"):
        costs.build(checks=False)

    costs.load()
    costs.build(checks=False)
    assert costs.ask("SELECT sum(attempts)::INT FROM marts.daily_spend") == [(20_000,)]


def a_view_and_a_macro(path):
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE VIEW precious AS SELECT 1; CREATE MACRO f(x) AS x + 1")


def an_empty_schema(path):
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE SCHEMA mine")


def a_table_that_we_have_too(path):
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE SCHEMA ledger; CREATE TABLE ledger.loaded_files (theirs INT)")


FOREIGN = [text, sqlite, another_duckdb, a_view_and_a_macro, an_empty_schema]


@pytest.mark.parametrize("make", [*FOREIGN, a_table_that_we_have_too])
def test_a_file_that_is_not_ours_is_never_touched(costs, attempt, make):
    costs.write(attempt())
    path = costs.settings.costs_database
    make(path)
    before = path.read_bytes()

    with pytest.raises(SettingsError, match=r"COSTS_DATABASE: .*costs\.duckdb is not used"):
        costs.load()
    with pytest.raises(SettingsError, match="COSTS_DATABASE"), read_only(path):
        pass
    with pytest.raises(SettingsError, match="COSTS_DATABASE"):
        costs.build()
    assert path.read_bytes() == before


def test_a_place_where_no_file_can_be_is_named(storage, tmp_path):
    (tmp_path / "a file").write_text("")
    for place in (tmp_path, tmp_path / "a file" / "costs.duckdb", Path("/proc/no/costs.duckdb")):
        with pytest.raises(SettingsError, match=f"COSTS_DATABASE.*{re.escape(str(place))}"):
            load_ledger(storage, place, {})


def test_a_name_that_duckdb_has_a_meaning_for_is_refused(storage, tmp_path):
    with pytest.raises(SettingsError, match=r"COSTS_DATABASE: .*DuckDB reserves the name 'main'"):
        load_ledger(storage, tmp_path / "main.duckdb", {})


def test_a_link_is_followed(costs, attempt, tmp_path):
    costs.write(attempt(ran=100.0))
    link, target = tmp_path / "link.duckdb", tmp_path / "elsewhere.duckdb"
    link.symlink_to(target)
    costs.settings = load_settings(
        storage_url=costs.storage.url,
        costs_database=link,
        price_book=costs.settings.price_book,
    )
    costs.load()
    costs.build(checks=False)

    assert costs.ask("SELECT sum(attempts)::INT FROM marts.daily_spend") == [(1,)]
    assert target.is_file()


def test_another_bucket_has_its_database_anew(costs, new_costs, attempt, tmp_path):
    other = new_costs(tmp_path / "other")
    costs.write(attempt("a"))
    other.write(attempt("b"))
    mark_synthetic(other.storage, 1, attempt().ended_at)
    path = costs.settings.costs_database
    costs.load()
    load_ledger(other.storage, path, {})

    assert costs.ask("SELECT job_id FROM ledger.attempts") == [("b",)]
    with read_only(path, bucket=other.storage.url) as connection:
        assert is_synthetic(connection)
    whose = r"was built from file:.*/other/bucket, not from .*Build it again"
    ours = costs.storage.url
    with pytest.raises(CostsNotBuiltError, match=whose), read_only(path, bucket=ours):
        pass
