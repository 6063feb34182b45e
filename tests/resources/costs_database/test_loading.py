"""The ledger in the costs database: each row once, whatever happens on the way."""

import dataclasses
import io
import random
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escriba.billing.permissions import SpendLimits
from escriba.settings import HOUSE
from resources.costs_database import database_file
from resources.costs_database.database import open_database
from resources.costs_database.database_file import CostsBusyError
from resources.costs_database.load_ledger import load_ledger
from resources.ledger.queries import open_ledger
from resources.ledger.tables import ATTEMPTS, INVOICES
from resources.ledger.writer import write_rows
from resources.storage.base import StorageError

TABLES = ("attempts", "sessions", "invoices")
BUILT = "INSERT INTO ledger.built SELECT 'some', max(load_id) FROM ledger.loaded_files"


@pytest.fixture
def database(tmp_path):
    return tmp_path / "costs.duckdb"


@pytest.fixture
def write(storage):
    return lambda rows: write_rows(storage, rows)


@pytest.fixture
def a_day(attempt, day):
    """Makes an attempt that began so long after the day did."""

    def make(name="a", *, hours=12, minutes=0, **changes):
        return attempt(name, started_at=day + timedelta(hours=hours, minutes=minutes), **changes)

    return make


@pytest.fixture
def load(storage, database):
    def load(then="", **limits):
        done = load_ledger(storage, database, limits)
        with open_database(database) as connection:
            connection.execute(then or "SELECT 1")
        return done

    return load


@pytest.fixture
def ask(database):
    def ask(query, path=database):
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query).fetchall()

    return ask


@pytest.fixture
def contents(ask, database):
    """All rows of all tables, without the numbers of the loads."""

    def read(path=database):
        return {
            name: ask(f"SELECT * EXCLUDE (load_id) FROM ledger.{name} ORDER BY ALL", path)
            for name in TABLES
        }

    return read


def test_rows_are_loaded_as_they_were_written(storage, load, ask, attempt, session):
    one = attempt()
    write_rows(storage, [one, session(one)])

    done = load()

    assert (done.files, done.rows) == (2, 2)
    [row] = ask("SELECT * EXCLUDE (load_id) FROM ledger.attempts")
    assert row == dataclasses.astuple(one)


def test_only_new_files_are_read(storage, load, ask, attempt):
    [old] = write_rows(storage, [attempt("a")])
    load()
    storage.write(old, b"damaged, and never looked at")
    write_rows(storage, [attempt("b")])

    assert (load().files, load().files) == (1, 0)
    assert ask("SELECT job_id, load_id FROM ledger.attempts ORDER BY 1") == [("a", 1), ("b", 2)]


def test_a_later_word_takes_the_place_and_an_earlier_one_does_not(storage, load, ask, attempt):
    lost = attempt(status="lost", ran=400.0)
    won = attempt(ran=50.0)
    for one in (lost, won, lost):
        write_rows(storage, [one])
        load()

    assert ask("SELECT status, load_id FROM ledger.attempts") == [("done", 2)]


def test_the_same_row_again_is_no_news(storage, load, ask, attempt):
    for _ in range(2):
        write_rows(storage, [attempt(), attempt()])
        load()

    assert ask("SELECT count(*), max(load_id) FROM ledger.attempts") == [(1, 1)]


def test_rows_of_files_that_are_gone_stay(storage, load, ask, attempt):
    [key] = write_rows(storage, [attempt()])
    load()
    storage.delete(key)
    load()

    assert ask("SELECT count(*) FROM ledger.attempts") == [(1,)]


def test_a_file_that_vanishes_while_it_is_fetched_is_looked_for_again(
    storage, database, attempt, ask
):
    """Compaction: what was in it lies in another file by then."""
    [key] = write_rows(storage, [attempt()])

    class Compacted:
        writes_appear_whole, url, head = True, storage.url, storage.head

        def list(self, prefix, after=""):
            return list(storage.list(prefix, after))

        def read(self, wanted):
            if wanted == key:
                storage.write(f"{ATTEMPTS}date=2026-03-10/z-1.parquet", storage.read(key))
                storage.delete(key)
                return None
            return storage.read(wanted)

    assert load_ledger(Compacted(), database, {}).rows == 1
    assert ask("SELECT count(*) FROM ledger.attempts") == [(1,)]


def test_limits_are_those_of_the_last_load(load, ask):
    load(all=SpendLimits(day_usd=Decimal(50)), acme=SpendLimits(month_usd=Decimal("9.5")))
    load(all=SpendLimits(day_usd=Decimal(60)))

    assert ask("SELECT * FROM ledger.limits") == [("all", Decimal(60), None)]


def put(storage, table, name, **columns):
    """A file of somebody's with these columns, a row long."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: [value] for name, value in columns.items()}), buffer)
    storage.write(f"{table}date=2026-03-11/{name}.parquet", buffer.getvalue())


def test_a_file_of_a_newer_version_is_named_and_what_to_do(storage, load, attempt):
    row = dataclasses.asdict(attempt())
    put(storage, ATTEMPTS, "wider", **row, carbon=1.5)
    with pytest.raises(
        StorageError, match=r"wider\.parquet' was written by a newer version.*carbon.*update"
    ):
        load()
    storage.delete(f"{ATTEMPTS}date=2026-03-11/wider.parquet")
    put(storage, ATTEMPTS, "later", **row | {"schema_version": 99})
    with pytest.raises(
        StorageError, match=r"later\.parquet' was written by a newer version.*schema version above"
    ):
        load()
    with (
        pytest.raises(StorageError, match=r"later\.parquet' was written by a newer"),
        open_ledger(storage),
    ):
        pass


def test_a_file_of_something_else_is_named(storage, load, attempt):
    write_rows(storage, [attempt()])
    put(storage, ATTEMPTS, "foreign", attempt_id="x", started_at=attempt().started_at)
    with pytest.raises(StorageError, match=r"foreign\.parquet' is not a ledger file \(it lacks"):
        load()
    with (
        pytest.raises(StorageError, match=r"foreign\.parquet' is not a ledger file"),
        open_ledger(storage),
    ):
        pass


def test_a_column_of_another_kind_is_named(storage, load, attempt):
    row = dataclasses.asdict(attempt()) | {"run_seconds": "a hundred"}
    put(storage, ATTEMPTS, "text", **row)
    told = r"text\.parquet' is not a ledger file \(its run_seconds is VARCHAR\): remove it"
    with pytest.raises(StorageError, match=told):
        load()
    with pytest.raises(StorageError, match=told), open_ledger(storage):
        pass


def test_a_damaged_bill_is_to_be_imported_again(storage, load):
    storage.write(f"{INVOICES}date=2026-03-11/bill.parquet", b"PAR1 no")
    with pytest.raises(StorageError, match=r"bill\.parquet' cannot be read.*import the bill again"):
        load()


@pytest.mark.parametrize("files", [1, 9])
def test_a_damaged_file_is_named_and_the_rest_is_loaded_without_it(
    storage, load, attempt, monkeypatch, files
):
    monkeypatch.setattr("resources.costs_database.load_ledger._BATCH_FILES", files)
    write_rows(storage, [attempt("a")])
    key = f"{ATTEMPTS}date=2026-03-11/broken.parquet"
    storage.write(key, b"PAR1 no")

    with pytest.raises(StorageError, match=f"ledger's '{key}' cannot be read.*--rebuild"):
        load()
    storage.delete(key)
    assert load().files == (0 if files == 1 else 1)  # what was in another batch stays


def test_a_database_of_another_version_is_made_anew(storage, load, ask, attempt, database):
    write_rows(storage, [attempt()])
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "CREATE SCHEMA ledger; CREATE TABLE ledger.attempts (attempt_id VARCHAR); "
            "CREATE TABLE ledger.loaded_files (key VARCHAR); CREATE TABLE ledger.built (a INT);"
            "CREATE TABLE ledger.touched_days (day DATE); CREATE TABLE ledger.limits (scope INT);"
        )
    load()
    assert ask("SELECT count(*) FROM ledger.attempts") == [(1,)]


def test_a_database_that_another_program_closes_soon_is_waited_for(load, database):
    hold = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True);"
    hold += "time.sleep(1)"
    with subprocess.Popen([sys.executable, "-c", hold, str(database)], stdout=-1) as holder:
        holder.stdout.readline()
        assert load().files == 0


def test_a_database_that_another_program_has_open_is_named(load, database, monkeypatch):
    monkeypatch.setattr(database_file, "PATIENCE_SECONDS", 0.1)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(database)], stdin=-1, stdout=-1
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(CostsBusyError, match=r"costs\.duckdb is open in another program"):
            load()
        holder.communicate(b"\n")
    assert load().files == 0


def test_a_new_job_in_a_life_touches_all_days_of_that_life(write, load, ask, a_day, session):
    """What the life cost is shared by its jobs, so that the first day's shares change."""
    late, after = a_day(hours=23, minutes=50), a_day("b", hours=24, minutes=5)
    write([late, session(late)])
    load(then=BUILT)
    began = late.started_at - timedelta(seconds=60)
    write([after, session(after, sequence=2, began=began)])
    load()

    days = ask("SELECT DISTINCT day::VARCHAR FROM ledger.touched_days ORDER BY 1")
    assert days == [("2026-03-10",), ("2026-03-11",)]


def test_a_row_that_moves_to_another_day_touches_both(write, load, ask, a_day):
    write([a_day(status="lost")])
    load(then=BUILT)
    write([a_day(hours=48)])
    load()

    days = ask("SELECT day::VARCHAR FROM ledger.touched_days ORDER BY 1")
    assert days == [("2026-03-10",), ("2026-03-12",)]


def test_a_run_touches_each_day_that_it_lies_on_and_so_does_what_it_replaces(
    write, load, ask, a_day
):
    """Given up after two days, and a run lasts one at most; b ended at midnight sharp."""
    write([a_day(hours=23, minutes=50, status="lost", ran=172_800.0)])
    load(then=BUILT)
    days = "SELECT DISTINCT day::VARCHAR FROM ledger.touched_days ORDER BY 1"
    write([a_day("b", hours=47, minutes=50, ran=600.0)])
    load()
    assert ask(days) == [("2026-03-11",)]

    write([a_day(hours=23, minutes=50, ran=600.0)])
    load()
    assert ask(days) == [("2026-03-10",), ("2026-03-11",)]


def test_another_attempt_at_a_job_touches_all_days_of_the_first_ones_life(
    write, load, ask, a_day, session
):
    """Whether a first attempt was one too many is said of its shares of idle, too."""
    first = a_day(hours=23, minutes=50, ran=598.0)
    write([first, session(first)])
    load(then=BUILT)
    write([a_day(attempt_id="acme:a:2", attempt=2, hours=96)])
    load()

    days = ask("SELECT DISTINCT day::VARCHAR FROM ledger.touched_days ORDER BY 1")
    assert days == [("2026-03-10",), ("2026-03-11",), ("2026-03-14",)]


@pytest.fixture
def many(storage, attempt, session):
    """Writes so many lives, each with a job that was given up for lost and won."""

    def write(count):
        for number in range(count):
            one = attempt(f"r{number}", ran=10.0 + number)
            write_rows(storage, [one, session(one, f"life-{number}")])
            write_rows(storage, [attempt(f"r{number}", status="lost", ran=99.0)])

    return write


def run_killed(step, *arguments):
    """What a process came to that kills itself at this step; its output."""
    command = [sys.executable, str(HOUSE / "tests" / "costs_killed.py"), str(step), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOUSE)


@pytest.mark.slow
def test_killed_at_any_step_the_next_load_makes_the_same_tables(
    storage, many, contents, tmp_path, ask
):
    many(6)
    load_ledger(storage, tmp_path / "wanted.duckdb", {})
    wanted = contents(tmp_path / "wanted.duckdb")
    whole = run_killed(0, "load", storage.url, str(tmp_path / "whole.duckdb"))
    steps = int(whole.stdout)

    for step in random.Random(6).sample(range(1, steps + 1), 8):
        path = tmp_path / f"killed-{step}.duckdb"
        done = run_killed(step, "load", storage.url, str(path))
        assert done.returncode == -signal.SIGKILL, done.stderr
        load_ledger(storage, path, {})
        assert contents(path) == wanted, step
        assert ask("SELECT count(*), count(DISTINCT key) FROM ledger.loaded_files", path) == [
            (18, 18)
        ]
