"""`escriba invoices import`: what it says of what came of it."""

import gzip
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cli.commands.invoices import command
from escriba.settings import HOUSE


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Runs it; its exit status, and what it says on standard output and error."""
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "bucket").as_uri())

    def run(*words):
        done = CliRunner().invoke(command, ["import", *map(str, words)])
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def told(ask):
    def read(*words):
        status, out, _ = ask(*words, "--json")
        assert status == 0
        return json.loads(out)

    return read


def test_new_replaced_and_unchanged_rows_are_told(told, write_json, bills):
    first, second = bills.runpod, bills.runpod | {"startTime": "2026-03-11T00:00:00Z"}
    one = told(write_json("bill.json", [first]))
    assert (one["rows"], one["new"], one["replaced"], one["unchanged"]) == (1, 1, 0, 0)

    two = told(write_json("bill.json", [first, second]))
    assert (two["rows"], two["new"], two["replaced"], two["unchanged"]) == (2, 1, 0, 1)

    three = told(write_json("bill.json", [first | {"totalAmount": 2}, second]))
    assert (three["rows"], three["new"], three["replaced"], three["unchanged"]) == (2, 0, 1, 1)
    assert three["amount_usd"] == "3.250000000"


def test_a_file_without_lines_is_told_beside_the_others(ask, told, write_json, bills):
    empty, bill = write_json("[no].json", {"records": []}), write_json("b.json", [bills.runpod])

    status, _, error = ask(empty)
    assert (status, error) == (0, "escriba: [no].json contains no lines.\n")
    both = told(empty, bill)
    assert (both["rows"], both["empty_files"]) == (1, ["[no].json"])


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.csv.gz"])
def test_a_file_of_nothing_holds_no_lines(told, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")

    assert told(path)["empty_files"] == [name]


def test_a_heading_alone_holds_no_lines(told, tmp_path):
    (tmp_path / "cur.csv").write_text("line_item_unblended_cost,line_item_usage_start_date\n")

    assert told(tmp_path / "cur.csv")["empty_files"] == ["cur.csv"]


@pytest.mark.parametrize("name", ["BILL.JSON", "BILL.Json.GZ"])
def test_suffixes_may_be_upper_case(told, tmp_path, bills, name):
    data = json.dumps([bills.runpod]).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("GZ") else data)

    assert told(tmp_path / name)["new"] == 1


def test_a_file_that_is_given_twice_is_refused(ask, told, tmp_path, write_json, bills):
    path = write_json("bill.json", [bills.runpod])

    status, _, error = ask(path, tmp_path / "." / "bill.json")
    assert status == 2
    assert "bill.json is given 2 times" in error
    assert told(path)["new"] == 1


@pytest.mark.parametrize("tag", ["purpose", "=x"])
def test_a_tag_has_a_key_and_a_value(ask, write_json, bills, tag):
    status, _, error = ask(write_json("bill.json", [bills.runpod]), "--tag", tag)

    assert status == 2
    assert "write it as KEY=VALUE" in error


def test_a_damaged_file_is_a_sentence(ask, tmp_path):
    (tmp_path / "cur.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n")[:-9])

    status, _, error = ask(tmp_path / "cur.csv.gz")
    assert status == 2
    assert "cur.csv.gz, line " in error


def test_people_are_told_in_a_sentence(tmp_path, write_json, bills):
    path = write_json("bill.json", [bills.runpod])
    run = [sys.executable, "-m", "cli", "invoices", "import", str(path)]
    where = os.environ | {"PYTHONPATH": str(HOUSE), "STORAGE_URL": (tmp_path / "b").as_uri()}

    said = [
        subprocess.run(run, cwd=tmp_path, env=where, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [one.stdout for one in said] == [
        "1 rows of runpod, 1.25 USD: 1 new, 0 replaced, 0 the same.\n",
        "1 rows of runpod, 1.25 USD: the same again: nothing new.\n",
    ]
