import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.attempts import Attempt, AttemptEnd
from escriba.billing.ledger_rows import LedgerRow, ledger_row
from escriba.billing.price_book import Price, PriceBook, read_price_book
from escriba.settings import HOUSE, load_settings
from gpu_job.contract import WorkerPlace
from resources.ledger import writer as ledger_module
from resources.ledger.queries import open_ledger
from resources.ledger.tables import ATTEMPTS
from resources.storage import open_storage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOR_EVER = datetime.max.replace(tzinfo=UTC)


@pytest.fixture
def noon():
    """When attempts are created."""
    return NOON


@pytest.fixture
def price():
    """Makes a price; a GPU second by default."""

    def make(usd="0.00019", unit="gpu_second", **changes):
        fields = {
            "backend": "runpod",
            "sku": "l4",
            "unit": unit,
            "price_usd": Decimal(usd),
            "valid_from": datetime(2020, 1, 1, tzinfo=UTC),
            "valid_to": FOR_EVER,
            "source": "test",
        }
        return Price(**(fields | changes))

    return make


@pytest.fixture
def book(price):
    """A book with the one price that attempts have here."""
    return PriceBook((price(),))


@pytest.fixture(scope="session")
def shipped_book():
    return read_price_book(HOUSE / "dbt_costs" / "seeds" / "price_book.csv")


@pytest.fixture
def attempt():
    """Makes an attempt at a job of a minute of audio that began 2 s after it was ordered.

    With `status`, it ended: a worker took it 3 s later, where `ran` says for how long it ran.
    """

    def make(status=None, ran=None, **changes):
        started = None if ran is None else NOON + timedelta(seconds=3)
        fields = {
            "job": "a" * 64,
            "attempt": 1,
            "nonce": "n",
            "backend": "runpod",
            "sku": "l4",
            "tenant": "acme",
            "recording": "acme/a.mp3",
            "model": "demo",
            "diarizer": "light",
            "audio_ms": 60_000,
            "speech_ms": 45_500,
            "queued_at": NOON - timedelta(seconds=2),
            "created_at": NOON,
            "creator": WorkerPlace(boot_id="b", pid_namespace="p", pid=1, started="1"),
            "queue_limit_seconds": 3600,
            "run_limit_seconds": 7200,
        }
        if status is not None:
            fields["end"] = AttemptEnd(
                status=status,
                started_at=started,
                ended_at=started + timedelta(seconds=ran) if started else NOON,
            )
        return Attempt(**(fields | changes))

    return make


@pytest.fixture
def storage(tmp_path):
    return open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(ledger_module, "_GATHER_SECONDS", 0)


@pytest.fixture
def row(attempt, price):
    """Makes the row of an attempt that is done; `changes` are of the row."""

    def make(number=1, ran=10, **changes):
        made = ledger_row(attempt("done", ran=ran, attempt=number), price())
        return dataclasses.replace(made, **changes)

    return make


def files(storage):
    return sorted(found.key for found in storage.list(ATTEMPTS))


def read(storage):
    """All rows of the view, as they were written."""
    names = [field.name for field in dataclasses.fields(LedgerRow)]
    with open_ledger(storage) as ledger:
        query = f"SELECT {', '.join(names)} FROM attempts ORDER BY attempt_id"
        return [LedgerRow(*values) for values in ledger.execute(query).fetchall()]
