"""Old days as one file each: whoever reads, and whenever, finds each row once."""

import dataclasses
import io
import itertools
import random
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from escriba.billing.attempt_times import AttemptTimes
from escriba.settings import HOUSE, NightSettings, load_settings
from pipelines.schedules import compaction_schedule
from resources.compaction import compact_ledger, needs_compaction
from resources.costs_database.load_ledger import load_ledger
from resources.ledger.files import ledger_files
from resources.ledger.queries import open_ledger
from resources.ledger.tables import ATTEMPTS
from resources.ledger.writer import write_rows
from resources.spending.reservations import SPENT, Reservation, Spending
from resources.storage import open_storage

LATER = datetime(2026, 4, 1, tzinfo=UTC)


class Paged:
    """Lists key by key, as a store lists page by page; `meanwhile` happens after so many keys."""

    writes_appear_whole = True

    def __init__(self, storage, after_keys, meanwhile):
        self.storage, self._after, self._meanwhile = storage, after_keys, meanwhile
        self.seen = 0

    def list(self, prefix, after=""):
        while True:
            found = next(iter(self.storage.list(prefix, after)), None)
            if found is None:
                return
            yield found
            after = found.key
            self.seen += 1
            if self.seen == self._after:
                self._meanwhile()

    def read(self, key, limit_bytes=None):
        return self.storage.read(key, limit_bytes)


@pytest.fixture
def ledger(storage, attempt, session, bill, day):
    """Three old days and a new one, in many files; some rows are there twice."""
    for days, number in itertools.product((0, 1, 2, 20), range(3)):
        started = day + timedelta(days=days, hours=number)
        one = attempt(f"r{days}-{number}", started_at=started, ran=10.0 + number)
        write_rows(storage, [one, session(one, f"life-{days}-{number}")])
        write_rows(storage, [dataclasses.replace(one, status="lost")])
    for usd in ("1.5", "2.5"):
        write_rows(storage, [bill("runpod", usd, row_id="same", imported_at=LATER)])
    return storage


def read(storage):
    with open_ledger(storage) as ledger:
        return [ledger.execute(f"SELECT * FROM {t} ORDER BY ALL").fetchall() for t in TABLES]


TABLES = ("attempts", "instances")


def keys(storage, prefix="ledger/"):
    return [found.key for found in storage.list(prefix)]


def test_old_days_are_one_file_each_and_new_ones_stay(ledger):
    before = read(ledger)
    new = [key for key in keys(ledger) if "date=2026-03-30" in key]

    done = compact_ledger(ledger, LATER)

    after = keys(ledger)
    assert (done.days, done.files_before, done.troubles) == (7, 29, ())
    assert read(ledger) == before
    assert [key for key in after if "date=2026-03-30" in key] == new
    assert len(after) == len(new) + 7
    assert not needs_compaction(ledger, LATER)
    assert compact_ledger(ledger, LATER).days == 0


def test_only_the_last_word_on_a_row_is_kept(ledger):
    compact_ledger(ledger, LATER)

    [key] = [key for key in keys(ledger, ATTEMPTS) if "date=2026-03-10" in key]
    rows = pq.read_table(io.BytesIO(ledger.read(key))).to_pylist()
    assert [row["status"] for row in rows] == ["done"] * 3
    [invoices] = keys(ledger, "ledger/invoices/")
    rows = pq.read_table(io.BytesIO(ledger.read(invoices))).to_pylist()
    assert [row["amount_usd"] for row in rows] == [Decimal("2.5")]


def test_a_row_that_comes_late_is_put_to_the_others(ledger, attempt):
    compact_ledger(ledger, LATER)
    write_rows(ledger, [attempt("late")])
    before = read(ledger)

    assert compact_ledger(ledger, LATER).files_before == 2
    assert read(ledger) == before


def test_files_of_before_a_column_was_kept_get_it_empty(storage, attempt):
    for name in "ab":
        [key] = write_rows(storage, [attempt(name)])
        buffer = io.BytesIO()
        pq.write_table(
            pq.read_table(io.BytesIO(storage.read(key))).drop_columns(["language"]), buffer
        )
        storage.write(key, buffer.getvalue())
    compact_ledger(storage, LATER)

    [key] = keys(storage)
    table = pq.read_table(io.BytesIO(storage.read(key)))
    assert table["language"].to_pylist() == [None, None]


def test_a_damaged_file_leaves_its_day_as_it_is_and_is_named(ledger):
    broken = f"{ATTEMPTS}date=2026-03-11/broken.parquet"
    ledger.write(broken, b"PAR1 no")
    before = keys(ledger, f"{ATTEMPTS}date=2026-03-11/")

    done = compact_ledger(ledger, LATER)

    assert done.days == 6
    assert broken in done.troubles[0]
    assert keys(ledger, f"{ATTEMPTS}date=2026-03-11/") == before


def test_what_is_loaded_stays_as_it_was_and_a_new_database_is_the_same(ledger, tmp_path):
    before, anew = tmp_path / "before.duckdb", tmp_path / "anew.duckdb"
    load_ledger(ledger, before, {})
    wanted = loaded(before)
    compact_ledger(ledger, LATER)

    assert load_ledger(ledger, before, {}).rows == 0
    load_ledger(ledger, anew, {})
    assert loaded(before) == loaded(anew) == wanted


def loaded(path):
    with duckdb.connect(str(path), read_only=True) as connection:
        query = "SELECT * EXCLUDE (load_id) FROM ledger.{} ORDER BY ALL"
        names = ("attempts", "sessions", "invoices")
        return [connection.execute(query.format(name)).fetchall() for name in names]


def test_whoever_lists_while_a_day_is_put_together_finds_every_row(ledger, attempt):
    """At every key of the listing; the second time of a day that was put together before."""
    compact_ledger(ledger, LATER)
    for name in ("late", "later"):
        write_rows(ledger, [attempt(name)])
    before = read(ledger)
    folder = Path(ledger.url.removeprefix("file://"))
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    total = len(keys(ledger))

    for place in range(1, total + 1):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        paged = Paged(ledger, place, lambda: compact_ledger(ledger, LATER))
        assert read(paged) == before, place


def test_a_folder_that_is_compacted_between_two_looks_is_still_seen_whole(ledger):
    """A disk's listing may miss what is made while it is read, and what is deleted too."""
    looks = []

    class Missing:
        writes_appear_whole = False

        def list(self, prefix, after=""):
            found = list(ledger.list(prefix, after))
            looks.append(prefix)
            if len(looks) == 1:
                compact_ledger(ledger, LATER)
                return []
            return found

    assert [file.key for file in ledger_files(Missing(), ATTEMPTS)] == keys(ledger, ATTEMPTS)


def run_killed(step, bucket):
    command = [sys.executable, str(HOUSE / "tests" / "costs_killed.py"), str(step), "compact"]
    return subprocess.run(
        [*command, bucket], capture_output=True, text=True, check=False, cwd=HOUSE
    )


def test_killed_at_any_step_no_row_is_lost_or_there_twice(ledger, spent):
    before = read(ledger)
    folder = Path(ledger.url.removeprefix("file://"))
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    steps = int(run_killed(0, ledger.url).stdout)

    for step in random.Random(6).sample(range(1, steps + 1), 8):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        assert run_killed(step, ledger.url).returncode == -signal.SIGKILL
        assert read(ledger) == before, step
        assert money(ledger) == spent, step
        compact_ledger(ledger, LATER)
        assert read(ledger) == before, step
        assert money(ledger) == spent, step
        assert not needs_compaction(ledger, LATER)


@pytest.fixture
def spent(storage, day):
    """Settled money of four days, two of a tenant each; the sum of the month by tenant."""
    spending = Spending(storage)
    for number in range(8):
        tenant = ("acme", "beta")[number % 2]
        one = Reservation(tenant, f"{number}" * 64, 1, "0011", Decimal(9))
        spending.settle(one, times(number, tenant), day + timedelta(days=number // 2))
    return {"acme": Decimal(0 + 2 + 4 + 6), "beta": Decimal(1 + 3 + 5 + 7)}


def times(usd, tenant="acme"):
    """A run of a minute that cost so much, on a machine of which no price is known any more."""
    ended, ran = datetime(2026, 3, 10, 12, tzinfo=UTC), timedelta(minutes=1)
    return AttemptTimes(
        tenant, "x", "y", "done", ended - ran, ended - ran, ended, ran, Decimal(usd)
    )


def money(storage):
    """As one sees it who never looked before; bills are nobody's."""
    sums = Spending(storage).sum(datetime(2026, 3, 31, 12, tzinfo=UTC)).month
    return {tenant: usd for tenant, usd in sums.items() if tenant != "unallocated"}


def test_what_was_spent_counts_the_same_after_its_days_are_put_together(storage, spent):
    assert money(storage) == spent
    knows = Spending(storage)
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    knows.sum(now)

    done = compact_ledger(storage, LATER)

    assert (done.days, done.files_before) == (4, 8)
    assert money(storage) == spent
    assert knows.sum(now).month == spent
    late = Reservation("acme", "9" * 64, 1, "0011", Decimal(9))
    Spending(storage).settle(late, times(100), now - timedelta(days=20))
    assert compact_ledger(storage, LATER).files_before == 2
    assert money(storage)["acme"] == spent["acme"] + 100


def test_whoever_sums_while_a_day_is_put_together_counts_each_entry_once(storage, spent, day):
    compact_ledger(storage, LATER)
    late = Reservation("acme", "9" * 64, 1, "0011", Decimal(9))
    Spending(storage).settle(late, times(100), day + timedelta(days=1))
    wanted = spent | {"acme": spent["acme"] + 100}
    folder = Path(storage.url.removeprefix("file://"))
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)

    for place in range(1, len(keys(storage, SPENT)) + 1):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        paged = Paged(storage, place, lambda: compact_ledger(storage, LATER))
        assert money(paged) == wanted, place


def test_the_schedule_begins_a_run_only_where_there_is_something_to_do(ledger, monkeypatch):
    import dagster as dg  # noqa: PLC0415  # seconds

    schedule = compaction_schedule(NightSettings())
    settings = load_settings(storage_url=ledger.url)
    context = dg.build_schedule_context(resources={"settings": settings})
    assert schedule.cron_schedule == "0 3 * * *"
    assert schedule.evaluate_tick(context).run_requests
    compact_ledger(open_storage(settings), datetime.now(UTC) + timedelta(days=30))
    assert not schedule.evaluate_tick(context).run_requests
