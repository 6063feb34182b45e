"""The ledger in the bucket: what is added, what is read, and that nothing counts twice."""

import dataclasses
import io
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from assets.costs.rebuild_ledger import rebuild_ledger
from escriba.billing.ledger_rows import LedgerRow, ledger_row
from resources.gpu.job_folder import JobFolder
from resources.ledger.queries import open_ledger
from resources.ledger.tables import ATTEMPTS, INSTANCES
from resources.ledger.writer import write_rows
from resources.storage.base import StorageError

from .conftest import files, read

MONEY = {"spot_usd_per_hour", "usd_per_hour", "cost_usd", "cost_usd_per_audio_hour"}
TIMES = {"queued_at", "started_at", "ended_at"}


def rows_in(storage, key):
    return pq.read_metadata(io.BytesIO(storage.read(key))).num_rows


def types(storage):
    with open_ledger(storage) as ledger:
        return {name: kind for name, kind, *_ in ledger.execute("DESCRIBE attempts").fetchall()}


def test_rows_come_back_as_they_were_written(storage, row, attempt, price):
    buried = ledger_row(attempt("buried", attempt=2, audio_ms=0), price())
    write_rows(storage, [row(1), buried])

    assert read(storage) == [row(1), buried]


def test_each_start_date_in_utc_has_a_file_of_its_own(storage, row):
    late = datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=3)))  # still the 1st, UTC
    later = late + timedelta(hours=2)
    keys = write_rows(storage, [row(1), row(2, started_at=late), row(3, started_at=later)])

    found = {key.split("/")[2]: rows_in(storage, key) for key in keys}
    assert found == {"date=2026-03-01": 2, "date=2026-03-02": 1}
    assert files(storage) == sorted(keys)


def test_the_last_word_on_an_attempt_wins_whichever_file_it_is_in(storage, row):
    early, late = row(1, ran=10), row(1, ran=20)
    for order in ([early, late], [late, early]):
        for one in order:
            write_rows(storage, [one])

    assert read(storage) == [late]


def test_an_attempt_that_was_given_up_for_lost_and_won_is_done(storage, row):
    won = row(1, ran=10)
    lost = row(1, ran=400, status="lost")
    write_rows(storage, [lost])
    write_rows(storage, [won])

    assert read(storage) == [won]


def test_a_file_that_is_there_twice_counts_once(storage, row):
    [key] = write_rows(storage, [row(1), row(2)])
    storage.write(key.replace(".parquet", "-copy.parquet"), storage.read(key))
    storage.write(f"{ATTEMPTS}date=2026-03-02/{key.rsplit('/', 1)[1]}", storage.read(key))

    rows = read(storage)

    assert len(rows) == 2
    assert sum(one.cost_usd for one in rows) == Decimal("0.0038")


def test_the_same_attempt_of_two_tenants_is_two_attempts(storage, attempt, price):
    rows = [ledger_row(attempt("done", ran=1, tenant=tenant), price()) for tenant in ("a", "b")]
    write_rows(storage, rows)

    assert len(read(storage)) == 2


@pytest.mark.parametrize("empty", [True, False])
def test_the_ledger_has_all_its_columns_and_types_even_when_it_is_empty(storage, row, empty):
    if not empty:
        write_rows(storage, [row(1)])

    found = types(storage)

    assert list(found) == [field.name for field in dataclasses.fields(LedgerRow)]
    assert {name for name, kind in found.items() if kind == "DECIMAL(18,9)"} == MONEY
    assert {name for name, kind in found.items() if kind == "TIMESTAMP WITH TIME ZONE"} == TIMES
    assert {kind for name, kind in found.items() if name.endswith("_seconds")} == {"DOUBLE"}
    assert found["attempt"] == "INTEGER"
    assert len(read(storage)) == (0 if empty else 1)


def test_what_is_no_ledger_file_is_passed_over(storage, row):
    write_rows(storage, [row(1)])
    storage.write(f"{ATTEMPTS}date=2026-03-01/notes.txt", b"not ours")

    assert len(read(storage)) == 1


def test_a_ledger_that_is_lost_is_made_anew_from_the_attempts(storage, attempt, book):
    attempts = [
        attempt("failed", ran=4, attempt=1),
        attempt("buried", attempt=2),
        attempt("lost", ran=6, attempt=3),
        attempt("done", ran=5, attempt=4),
    ]
    for one in [*attempts, attempt(attempt=5)]:
        JobFolder(storage, one.tenant, one.job).begin(one)
    write_rows(storage, [ledger_row(one, book.prices[0]) for one in attempts])
    before = read(storage)
    for key in files(storage):
        storage.delete(key)

    assert rebuild_ledger(storage, book) == 4

    assert read(storage) == before
    assert [one.status for one in before] == ["failed", "buried", "lost", "done"]


def test_a_ledger_that_is_not_lost_counts_no_more_after_it_was_made_anew(storage, attempt, book):
    done = attempt("done", ran=5)
    JobFolder(storage, done.tenant, done.job).begin(done)
    write_rows(storage, [ledger_row(done, book.prices[0])])
    before = read(storage)

    for _ in range(2):
        rebuild_ledger(storage, book)

    assert len(files(storage)) == 3
    assert read(storage) == before


def test_an_attempt_that_cannot_be_read_costs_no_other_its_row(storage, attempt, book):
    done = attempt("done", ran=5)
    folder = JobFolder(storage, done.tenant, done.job)
    folder.begin(done)
    storage.write(folder.key("attempt-2.json"), b"{")

    assert rebuild_ledger(storage, book) == 1


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:-9], lambda _: b"PAR1 no"])
def test_a_damaged_file_is_named_by_its_key_with_what_to_do(storage, row, damage):
    write_rows(storage, [row(1)])
    [broken] = write_rows(storage, [row(2)])
    storage.write(broken, damage(storage.read(broken)))

    with pytest.raises(StorageError) as caught, open_ledger(storage):
        pass

    told = str(caught.value)
    assert f"{broken!r} cannot be read" in told
    assert "escriba costs --rebuild" in told
    assert "/tmp" not in told
    assert sum(key in told for key in files(storage)) == 1


def test_a_file_with_a_damaged_middle_is_named_too(storage, row):
    [broken] = write_rows(storage, [row(n) for n in range(1, 200)])
    data = bytearray(storage.read(broken))
    data[4:400] = bytes(396)
    storage.write(broken, bytes(data))

    with pytest.raises(StorageError, match=broken), open_ledger(storage):
        pass


def test_when_the_damaged_file_is_removed_the_rest_is_read(storage, row):
    write_rows(storage, [row(1)])
    storage.write(f"{ATTEMPTS}date=2026-03-01/broken.parquet", b"half")
    storage.delete(f"{ATTEMPTS}date=2026-03-01/broken.parquet")

    assert read(storage) == [row(1)]


def test_a_row_from_before_a_column_was_kept_is_read_with_nothing_in_it(storage, row):
    [key] = write_rows(storage, [row(1)])
    old = pq.read_table(io.BytesIO(storage.read(key))).drop_columns(["diarizer"])
    buffer = io.BytesIO()
    pq.write_table(old, buffer)
    storage.write(key, buffer.getvalue())

    assert read(storage) == [row(1, diarizer=None)]
    write_rows(storage, [row(2)])
    assert [one.diarizer for one in read(storage)] == [None, "light"]


def test_of_a_long_ledger_only_the_files_from_a_day_on_are_read(storage, row, noon):
    [old] = write_rows(storage, [row(1)])
    write_rows(storage, [row(2, started_at=noon + timedelta(days=1))])
    storage.write(old, b"damaged, and never looked at")

    for since in (noon + timedelta(days=1), noon + timedelta(hours=12)):
        with open_ledger(storage, since) as ledger:
            assert ledger.execute("SELECT attempt FROM attempts").fetchall() == [(2,)]


def test_a_sample_is_of_the_newest_files(storage, row, noon):
    for day in range(4):
        write_rows(storage, [row(day + 1, started_at=noon + timedelta(days=day))])

    with open_ledger(storage, at_most_files=2) as ledger:
        found = ledger.execute("SELECT attempt FROM attempts ORDER BY 1").fetchall()

    assert found == [(3,), (4,)]


def test_only_the_tables_that_are_asked_for_are_read(storage, row):
    write_rows(storage, [row(1)])
    storage.write(f"{INSTANCES}date=2026-03-01/a.parquet", b"damaged, and never looked at")

    with open_ledger(storage, tables=["attempts"]) as ledger:
        assert ledger.execute("SELECT attempt FROM attempts").fetchall() == [(1,)]
