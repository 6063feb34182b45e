"""Loading and compacting the ledger, on every kind of store."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from escriba.billing.ledger_rows import row_without_job
from resources.compaction import compact_ledger
from resources.costs_database.load_ledger import load_ledger
from resources.ledger.files import ledger_files
from resources.ledger.tables import ATTEMPTS
from resources.ledger.writer import write_rows

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def written(storage):
    """Three days with two files each; the identities of their rows."""
    names = {f"d{day}-{number}": DAY + timedelta(days=day) for day in range(3) for number in (1, 2)}
    for name, ended in names.items():
        row = row_without_job(
            attempt_id=name,
            job_id=name,
            tenant="acme",
            recording=f"acme/{name}.mp3",
            audio_seconds=60.0,
            speech_seconds=0.0,
            now=ended,
        )
        write_rows(storage, [row])
    return sorted(names)


def loaded(storage, path):
    """How many files were new, and the identities that are there now."""
    files = load_ledger(storage, path, {}).files
    with duckdb.connect(str(path), read_only=True) as costs:
        rows = costs.execute("SELECT attempt_id FROM ledger.attempts ORDER BY 1").fetchall()
    return files, [name for (name,) in rows]


def test_a_ledger_of_any_store_is_loaded_once(storage, written, tmp_path):
    assert loaded(storage, tmp_path / "costs.duckdb") == (6, written)
    assert loaded(storage, tmp_path / "costs.duckdb") == (0, written)


def test_a_ledger_of_any_store_is_the_same_after_its_days_are_put_together(
    storage, written, tmp_path
):
    compact_ledger(storage, DAY + timedelta(days=30))

    assert len(ledger_files(storage, ATTEMPTS)) == 3
    assert loaded(storage, tmp_path / "costs.duckdb") == (3, written)
