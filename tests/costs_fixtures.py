"""Fixtures of a small ledger with hand-worked figures, and the marts built on it."""

import csv
import dataclasses
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import pyarrow.parquet as pq
import pytest

from escriba.billing.exchange_rates import read_exchange_rates
from escriba.billing.invoice_rows import InvoiceRow
from escriba.billing.ledger_rows import LedgerRow
from escriba.billing.permissions import SpendLimits
from escriba.billing.worker_sessions import SessionRow
from escriba.settings import HOUSE, load_settings
from resources.costs_database.build_marts import build_marts
from resources.costs_database.load_ledger import load_ledger
from resources.invoices.import_invoices import DeliveryFiles, import_invoices
from resources.ledger.tables import INVOICES
from resources.ledger.writer import write_rows
from resources.storage import open_storage

DAY = datetime(2026, 3, 10, tzinfo=UTC)
LATER = datetime(2026, 3, 20, 12, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
PRICES = """\
backend,sku,unit,price_usd,valid_from,valid_to,source
runpod,l4,gpu_second,0.00019,2020-01-01,2026-03-11,test
runpod,l4,gpu_second,0.00016,2026-03-11,,test
aws_gpu,g5.xlarge,machine_hour,0.47,2020-01-01,,test
openai,whisper-1,audio_minute,0.006,2020-01-01,,test
"""


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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
            "cost_usd": (Decimal("0.00019") * Decimal(repr(ran))).quantize(Decimal("1e-9")),
            "cost_usd_per_audio_hour": Decimal(0),
            "queued_at": started - timedelta(seconds=3),
            "started_at": started,
            "ended_at": started + timedelta(seconds=ran),
            "diarizer": "light",
            "language": "pt",
            "segments": 120,
        }
        return dataclasses.replace(LedgerRow(**usual), **changes)

    return make


@pytest.fixture(scope="session")
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


@pytest.fixture
def take(storage, rates):
    """Imports files as one delivery, in April 2026."""

    def take(*paths, now=APRIL, **delivery):
        return import_invoices(storage, paths, rates, DeliveryFiles(**delivery), now)

    return take


@pytest.fixture
def kept(storage):
    """The rows of invoices in the bucket, all that were ever written."""

    def read():
        keys = [found.key for found in storage.list(INVOICES)]
        tables = [pq.read_table(io.BytesIO(storage.read(key))) for key in keys]
        return [InvoiceRow(**row) for table in tables for row in table.to_pylist()]

    return read


@pytest.fixture
def a_cur(write_csv, bills):
    """A report of AWS with a line for each change of the usual one."""
    return lambda *changes: write_csv("cur.csv", [bills.aws | change for change in changes])


class Costs:
    """A bucket and its costs database: rows go in, tables come out."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        prices = folder / "prices.csv"
        prices.write_text(PRICES)
        self.settings = load_settings(
            storage_url=(folder / "bucket").as_uri(),
            costs_database=folder / "costs.duckdb",
            price_book=prices,
        )
        self.storage = open_storage(self.settings)

    def write(self, *rows):
        return write_rows(self.storage, rows)

    def load(self, **limits):
        return load_ledger(self.storage, self.settings.costs_database, limits)

    def build(self, **how):
        return build_marts(self.settings, **({"as_of": LATER} | how))

    def ask(self, query):
        with duckdb.connect(str(self.settings.costs_database), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query).fetchall()

    def tables(self):
        """All that dbt built, in an order of its own."""
        names = self.ask(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
            "WHERE schema_name IN ('intermediate', 'marts') ORDER BY 1"
        )
        return {name: self.ask(f"SELECT * FROM {name} ORDER BY ALL") for (name,) in names}


@pytest.fixture
def costs(tmp_path):
    """A bucket of its own."""
    return Costs(tmp_path / "costs")


@pytest.fixture(scope="session")
def new_costs():
    return Costs


@pytest.fixture(scope="session")
def rows(attempt, session, day):
    """A day and a bit of every kind of charge, in the order in which it was written."""

    def at(hours, minutes=0, seconds=0):
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)

    a = attempt("a", started_at=at(12), ran=100.0)
    b = attempt("b", started_at=at(12, 2), ran=300.0, tenant="beta", attempt_id="beta:b:1")
    b = dataclasses.replace(b, recording="beta/b.mp3", language="en")
    began = at(11, 59)
    failed = attempt("c", started_at=at(13), ran=10.0, status="failed", rtf=None)
    second = {"attempt": 2, "started_at": at(14), "recording": "acme/c.mp3"}
    again = attempt("c", ran=40.0, attempt_id="acme:c:2", **second)
    lost = attempt("d", started_at=at(13), ran=400.0, status="lost", rtf=None)
    stopped = attempt("d", ran=20.0, attempt_id="acme:d:2", status="stopped", rtf=None)
    stopped = dataclasses.replace(stopped, attempt=2)
    aws = {"backend": "aws_gpu", "sku": "g5.xlarge", "usd_per_hour": Decimal("0.47")}
    on_aws = attempt("e", started_at=at(9), ran=1000.0, audio_seconds=3600.0, **aws)
    api = {"backend": "openai", "sku": "whisper-1", "usd_per_hour": Decimal("0.36")}
    by_api = attempt("f", started_at=at(10), ran=30.0, **api)
    once = attempt("g", started_at=at(15), ran=50.0)
    twice = attempt("g", started_at=at(15), ran=60.0, attempt=2, attempt_id="acme:g:2")
    night = attempt("h", started_at=at(23, 59, 50), ran=20.0)
    ghost = attempt("ghost", started_at=at(16), ran=10.0)
    nothing = attempt("s", ran=0.0, status="none", backend="none", sku="", rtf=None)
    return [
        [a, session(a, began=began), failed, lost, on_aws, by_api, session(by_api, "api")],
        [b, session(b, sequence=2, began=began), again, stopped, once, nothing],
        [twice, night, session(night, "life-2"), session(ghost, "life-3")],
    ]


@pytest.fixture(scope="session")
def bill(day):
    """Makes a row of an invoice of a day."""

    def make(backend, usd, category="compute", **changes):
        usual = {
            "row_id": f"{backend}-{category}-{usd}",
            "backend": backend,
            "invoice_id": "2026-03",
            "sku": "all",
            "category": category,
            "period_start": day,
            "period_end": day + timedelta(days=1),
            "amount": Decimal(usd),
            "currency": "USD",
            "amount_usd": Decimal(usd),
            "description": "",
            "imported_at": LATER,
        }
        return InvoiceRow(**(usual | changes))

    return make


@pytest.fixture(scope="session")
def bills_of_the_day(bill):
    return [bill("runpod", "0.30"), bill("aws_gpu", "0.14"), bill("aws_gpu", "0.01", "storage")]


@pytest.fixture(scope="session")
def built(tmp_path_factory, rows, bills_of_the_day):
    """All of it, loaded and built once; tests only ask."""
    made = Costs(tmp_path_factory.mktemp("built"))
    for batch in rows:
        made.write(*batch)
    made.write(*bills_of_the_day)
    made.load(all=SpendLimits(day_usd=Decimal(50), month_usd=Decimal("0.60")))
    made.build(examples=True)
    return made
