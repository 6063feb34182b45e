"""A small ledger whose every figure can be worked by hand, and the marts built on it."""

import csv
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from pipelines.billing.attempts import LedgerRow
from pipelines.billing.currencies import read_exchange_rates
from pipelines.billing.sessions import SessionRow
from pipelines.settings import HOUSE, load_settings
from resources.storage import open_storage

DAY = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def day():
    """The first moment of the day on which everything happens, unless a test says another."""
    return DAY


@pytest.fixture
def storage(tmp_path):
    return open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))


@pytest.fixture
def rates():
    """As shipped."""
    return read_exchange_rates(HOUSE / "dbt_costs" / "seeds" / "exchange_rates.csv")


@pytest.fixture
def write_json(tmp_path):
    def write(name, value):
        path = tmp_path / name
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_csv(tmp_path):
    def write(name, records):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, records[0])
            writer.writeheader()
            writer.writerows(records)
        return path

    return write


@pytest.fixture
def attempt():
    """Makes the row of an attempt: at noon, 100 s on a RunPod L4, ten minutes of audio."""

    def make(name="a", **changes):
        started = changes.pop("started_at", DAY + timedelta(hours=12))
        ran = changes.pop("ran", 100.0)
        usual = {
            "attempt_id": f"acme:{name}:1",
            "job_id": name,
            "attempt": 1,
            "tenant": "acme",
            "recording": f"acme/{name}.mp3",
            "backend": "runpod",
            "sku": "l4",
            "model": "demo",
            "status": "done",
            "error_type": "",
            "worker": "w1",
            "audio_seconds": 600.0,
            "speech_seconds": 500.0,
            "queue_seconds": 1.0,
            "start_seconds": 2.0,
            "run_seconds": ran,
            "rtf": ran / 600.0,
            "usd_per_hour": Decimal("0.684"),
            "cost_usd": Decimal("0.00019") * Decimal(repr(ran)),
            "cost_usd_per_audio_hour": Decimal(0),
            "queued_at": started - timedelta(seconds=3),
            "started_at": started,
            "ended_at": started + timedelta(seconds=ran),
            "diarizer": "light",
            "language": "pt",
        }
        return dataclasses.replace(LedgerRow(**usual), **changes)

    return make


@pytest.fixture
def session():
    """Makes the row of an attempt's part in a worker's life: a minute of boot, 5 s of idle."""

    def make(attempt, life="life-1", sequence=1, *, boot=60.0, began=None):
        began = began or attempt.started_at - timedelta(seconds=boot)
        return SessionRow(
            row_id=f"{attempt.backend}:{life}:{sequence}",
            session_id=f"{attempt.backend}:{life}",
            sequence=sequence,
            attempt_id=attempt.attempt_id,
            backend=attempt.backend,
            sku=attempt.sku,
            worker=attempt.worker,
            gpu="L4",
            container_started_at=began,
            models_ready_at=began + timedelta(seconds=boot),
            job_started_at=attempt.started_at,
            job_ended_at=attempt.ended_at,
            idle_timeout_seconds=5.0,
            usd_per_hour=attempt.usd_per_hour,
        )

    return make


@pytest.fixture
def bills():
    """Records of bills, as the providers write them."""
    return SimpleNamespace(
        runpod={"serverlessId": "ep1", "startTime": "2026-03-10T00:00:00Z", "totalAmount": 1.25},
        runpod_before={"endpointId": "ep1", "time": "2026-03-10T00:00:00Z", "amount": 1.25},
        aws={
            "bill_payer_account_id": "111122223333",
            "bill_invoice_id": "",
            "bill_billing_period_start_date": "2026-03-01T00:00:00Z",
            "line_item_usage_start_date": "2026-03-10T12:00:00Z",
            "line_item_usage_end_date": "2026-03-10T13:00:00Z",
            "line_item_product_code": "AmazonEC2",
            "line_item_usage_type": "SpotUsage:g5.xlarge",
            "line_item_line_item_type": "Usage",
            "line_item_unblended_cost": "0.4712345678",
            "line_item_currency_code": "USD",
            "line_item_line_item_description": "g5.xlarge spot, an hour",
            "resource_tags": json.dumps({"user_purpose": "transcription-worker"}),
        },
        gcp={
            "billing_account_id": "01A-02B",
            "invoice": {"month": "202603"},
            "service": {"id": "6F81", "description": "Compute Engine"},
            "sku": {"id": "AAAA", "description": "Nvidia Tesla T4 GPU attached to Spot VMs"},
            "usage_start_time": "2026-03-10 12:00:00 UTC",
            "usage_end_time": "2026-03-10 13:00:00 UTC",
            "cost": 1.75,
            "currency": "BRL",
            "cost_type": "regular",
            "labels": [{"key": "purpose", "value": "transcription-worker"}],
            "credits": [{"name": "promotion", "amount": -0.25}, {"name": "other", "amount": -0.5}],
        },
    )
