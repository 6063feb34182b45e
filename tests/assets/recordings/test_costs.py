"""The cost of recordings without a job, and how `escriba costs` prints it."""

import json
from decimal import Decimal

import numpy as np
import pytest
from click.testing import CliRunner

from assets.costs.rebuild_ledger import rebuild_ledger
from cli.commands.costs import command as costs
from escriba.billing.price_book import read_price_book
from resources.ledger.tables import ATTEMPTS


@pytest.fixture
def silence(wav, tmp_path):
    """Four seconds without speech."""
    return wav.write(tmp_path / "silence.wav", np.zeros(16_000 * 4, np.int16))


def rebuild(house):
    """Delete and rebuild the ledger; returns the number of rows."""
    for found in list(house.storage.list(ATTEMPTS)):
        house.storage.delete(found.key)
    return rebuild_ledger(house.storage, read_price_book(house.settings.price_book))


def counted(house):
    """The rows without their times, since a rebuild takes these from the records."""
    times = {"queued_at", "started_at", "ended_at"}
    rows = [{k: v for k, v in row.items() if k not in times} for row in house.attempts()]
    return sorted(rows, key=lambda row: row["attempt_id"])


@pytest.mark.parametrize("name", ["a.wav", "jobs/a.wav", "jobs~/a.wav", "myjobs~/ä b.wav"])
def test_a_rebuild_brings_back_the_rows_of_silence(house, silence, name):
    house.batch([house.put(silence, name)])
    before = counted(house)

    assert rebuild(house) == 1

    assert counted(house) == before
    [row] = before
    assert (row["recording"], row["audio_seconds"]) == (f"acme/{name}", 4.0)


def test_a_rebuild_brings_back_the_rows_of_twins(house, clips):
    house.batch([house.put(clips.english, "a.wav")])
    house.batch([house.put(clips.english, "b.wav")])
    before = counted(house)

    assert rebuild(house) == 2

    assert counted(house) == before
    assert sorted(row["backend"] for row in before) == ["local", "none"]


def test_a_rebuild_of_a_ledger_that_is_whole_counts_nothing_twice(house, silence):
    house.batch([house.put(silence, "a.wav")])
    before = counted(house)

    rebuild_ledger(house.storage, read_price_book(house.settings.price_book))

    assert counted(house) == before


@pytest.mark.parametrize("stage", ["cost_metrics", "transcript"])
@pytest.mark.parametrize("damage", [b"{", b"", b"\xff", None])
def test_a_rebuild_passes_over_damaged_records(house, silence, stage, damage):
    broken, sound = house.put(silence, "a.wav"), house.put(silence, "b.wav")
    house.batch([broken, sound])
    key = broken.work_key(f"stages/{stage}.json")
    record = json.loads(house.storage.read(key))
    other = json.dumps(record | {"facts": {"attempt_ids": 1}}).encode()
    house.storage.write(key, other if damage is None else damage)

    assert rebuild(house) == 1

    assert [row["recording"] for row in house.attempts()] == ["acme/b.wav"]


def test_the_same_bytes_uploaded_again_are_counted_once(house, silence):
    for _ in range(2):
        recording = house.put(silence, "a.wav")
        house.batch([recording])

    [row] = house.attempts()
    assert row["audio_seconds"] == 4.0
    assert house.survey().done == [recording]


def test_two_silent_recordings_of_the_same_bytes_are_two(house, silence):
    house.batch([house.put(silence, "a.wav"), house.put(silence, "b.wav")])

    assert len(house.attempts()) == 2


def test_money_in_json_is_plain_digits(house, silence, monkeypatch):
    monkeypatch.setenv("STORAGE_URL", house.settings.storage_url)
    monkeypatch.setenv("COSTS_DATABASE", str(house.settings.costs_database))
    empty = json.loads(CliRunner().invoke(costs, ["--json"]).output)
    house.batch([house.put(silence, "a.wav")])

    told = json.loads(CliRunner().invoke(costs, ["--json"]).output)

    assert empty == {"by": "recording", "rows": [], "total_usd": "0", "limits": []}
    [row] = told["rows"]
    amounts = [told["total_usd"], *(value for name, value in row.items() if "usd" in name)]
    assert len(amounts) == 4
    assert all("E" not in amount and Decimal(amount) == 0 for amount in amounts)


def test_a_price_book_that_is_not_there_is_named_by_its_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("PRICE_BOOK", str(tmp_path / "none.csv"))

    done = CliRunner().invoke(costs, ["--json"])

    assert done.exit_code == 2
    assert "PRICE_BOOK" in done.stderr
    assert "none.csv" in done.stderr
