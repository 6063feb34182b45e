"""What is wrong with Dagster's records has a sentence of its own, and never shows a password."""

import errno
import re
import sqlite3

import psycopg2
import pytest
from sqlalchemy.exc import OperationalError

from cli.runs.dagster_faults import dagster_fault, in_our_words, known_fault
from cli.runs.run_recordings import open_instance
from escriba.settings import SettingsError, load_settings

SECRET = "hunter2"
URL = f"postgresql://dagster:{SECRET}@127.0.0.1:1/dagster"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "")

    def make(url=""):
        return load_settings(dagster_home=tmp_path / "dagster", dagster_postgres_url=url)

    return make


def full_database(path):
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA max_page_count = 2")
        database.execute("CREATE TABLE t (text)")
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 4000,)] * 9)


def locked_database(path):
    with sqlite3.connect(path) as holder, sqlite3.connect(path, timeout=0) as database:
        holder.execute("BEGIN EXCLUSIVE")
        database.execute("CREATE TABLE t (text)")


def damaged_database(path):
    path.write_bytes(b"no database" * 1000)
    sqlite3.connect(path).execute("SELECT * FROM sqlite_master")


def unwritable_database(path):
    sqlite3.connect(path / "none" / "x")


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (full_database, "the disk of .* is full. Free some space"),
        (locked_database, "another process keeps the database .* locked"),
        (damaged_database, "damaged. Move that folder away"),
        (unwritable_database, "may not write"),
    ],
)
def test_each_fault_of_sqlite_has_a_sentence(settings, tmp_path, use, told):
    with pytest.raises(sqlite3.Error) as raised:
        use(tmp_path / "runs.db")
    wrapped = OperationalError("INSERT", {"secret": SECRET}, raised.value)

    sentence = known_fault(wrapped, settings())
    recorded = in_our_words(f"sqlite3.OperationalError: {raised.value}", settings())

    for text in (sentence, recorded):
        assert re.search(told, text), text
        assert SECRET not in text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("FATAL:  sorry, too many clients already", "no free connection"),
        ("FATAL:  remaining connection slots are reserved", "max_connections"),
        ('FATAL:  password authentication failed for user "dagster"', "refuses the user"),
        ('FATAL:  database "dagster" does not exist', "createdb"),
        ("could not translate host name", "cannot be reached"),
        ("could not extend file: No space left on device", "server's disk is full"),
        ("cannot execute INSERT in a read-only transaction", "replica"),
    ],
)
def test_each_fault_of_postgres_has_a_sentence(settings, said, told):
    error = OperationalError("SELECT", {}, psycopg2.OperationalError(f"{said} {SECRET}"))

    sentence = dagster_fault(error, settings(URL))

    assert sentence.startswith("DAGSTER_POSTGRES_URL: ")
    assert told in sentence
    assert SECRET not in sentence
    assert "Move that folder away" not in sentence


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgresql://dagster:{SECRET}@127.0.0.1:port/x", "not an address of the form"),
        (f"postgress://dagster:{SECRET}@127.0.0.1/x", "not an address of the form"),
        (f"dagster:{SECRET}@127.0.0.1", "not an address of the form"),
        (URL, "cannot be reached"),
    ],
)
def test_an_address_that_is_wrong_is_not_a_reason_to_move_a_folder(settings, url, told):
    with pytest.raises(SettingsError, match=told) as error, open_instance(settings(url)):
        pass

    assert SECRET not in str(error.value)
    assert "ove that folder" not in str(error.value)


def test_a_disk_that_fills_up_during_a_run_is_a_sentence(settings, tmp_path):
    made = settings()
    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "dagster/x"))

    with pytest.raises(SettingsError, match="is full") as error, open_instance(made):
        raise full

    assert "Finished work is in the bucket" in str(error.value)


def test_an_error_of_something_else_stays_what_it_is(settings):
    for error in (KeyError("x"), OSError(errno.ENOSPC, "full", "/elsewhere"), ValueError("port")):
        assert known_fault(error, settings(URL)) == ""
