"""Columns of the ledger: their types, which files in buckets have already, from annotations."""

import dataclasses
import io
from dataclasses import make_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

import pyarrow.parquet as pq
import pytest

from resources.ledger.tables import LEDGER, schema
from resources.ledger.writer import write_rows

TEXT, SMALL, LARGE, REAL = "string", "int32", "int64", "double"
MONEY, TIME = "decimal128(18, 9)", "timestamp[us, tz=UTC]"
BOOL = "bool"
ON_DISK = {
    "attempts": {
        "attempt_id": TEXT,
        "job_id": TEXT,
        "attempt": SMALL,
        **dict.fromkeys(("tenant", "recording", "backend", "sku", "model", "status"), TEXT),
        **dict.fromkeys(("error_type", "worker"), TEXT),
        **dict.fromkeys(("audio_seconds", "speech_seconds", "queue_seconds"), REAL),
        **dict.fromkeys(("start_seconds", "run_seconds", "rtf"), REAL),
        **dict.fromkeys(("usd_per_hour", "cost_usd", "cost_usd_per_audio_hour"), MONEY),
        **dict.fromkeys(("queued_at", "started_at", "ended_at"), TIME),
        **dict.fromkeys(("diarizer", "language"), TEXT),
        "audio_bytes": LARGE,
        "segments": SMALL,
        "spot_usd_per_hour": MONEY,
        "bought_audio_seconds": REAL,
        "schema_version": SMALL,
    },
    "sessions": {
        **dict.fromkeys(("row_id", "session_id"), TEXT),
        "sequence": SMALL,
        **dict.fromkeys(("attempt_id", "backend", "sku", "worker", "gpu"), TEXT),
        **dict.fromkeys(("container_started_at", "models_ready_at"), TIME),
        **dict.fromkeys(("job_started_at", "job_ended_at"), TIME),
        "idle_timeout_seconds": REAL,
        "usd_per_hour": MONEY,
        "warm_workers": SMALL,
        **dict.fromkeys(("instance_id", "instance_type", "zone"), TEXT),
        **dict.fromkeys(("is_spot", "is_free"), BOOL),
        "spot_usd_per_hour": MONEY,
        "schema_version": SMALL,
    },
    "invoices": {
        **dict.fromkeys(("row_id", "backend", "invoice_id", "sku", "category"), TEXT),
        **dict.fromkeys(("period_start", "period_end"), TIME),
        "amount": MONEY,
        "currency": TEXT,
        "amount_usd": MONEY,
        "description": TEXT,
        "imported_at": TIME,
        **dict.fromkeys(("bill", "exact", "lines", "rate_source"), TEXT),
        "withdrawn_at": TIME,
        "schema_version": SMALL,
    },
    "tags": {
        **dict.fromkeys(("recording", "tenant", "cost_center", "project"), TEXT),
        "tagged_at": TIME,
        "schema_version": SMALL,
    },
}
LARGEST = {
    TEXT: "ação",
    SMALL: 2**31 - 1,
    LARGE: 2**63 - 1,
    REAL: 86_400.123456,
    BOOL: True,
    MONEY: Decimal("999999999.123456789"),
    TIME: datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
}
OPTIONAL = {
    "attempts": {
        *("rtf", "cost_usd_per_audio_hour"),
        *("diarizer", "language", "audio_bytes", "segments", "spot_usd_per_hour"),
        "bought_audio_seconds",
    },
    "sessions": {
        *("container_started_at", "models_ready_at", "warm_workers"),
        *("instance_id", "instance_type", "zone", "is_spot", "is_free", "spot_usd_per_hour"),
    },
    "invoices": {"bill", "exact", "lines", "rate_source", "withdrawn_at"},
    "tags": {"cost_center", "project"},
}


def test_every_table_is_looked_at():
    assert {table.name for table in LEDGER} == ON_DISK.keys()


@pytest.mark.parametrize("table", LEDGER, ids=lambda table: table.name)
def test_columns_have_the_names_the_order_and_the_types_of_the_files_that_exist(table):
    columns = schema(table.kind)

    assert [(one.name, str(one.type)) for one in columns] == list(ON_DISK[table.name].items())
    assert all(one.nullable for one in columns)
    assert columns.metadata is None


@pytest.mark.parametrize("table", LEDGER, ids=lambda table: table.name)
def test_the_largest_values_and_those_that_are_missing_come_back_as_they_were_written(
    storage, table
):
    full = table.kind(**{name: LARGEST[kind] for name, kind in ON_DISK[table.name].items()})
    sparse = dataclasses.replace(full, **dict.fromkeys(OPTIONAL[table.name]))

    [key] = write_rows(storage, [full, sparse])

    assert key.startswith(f"{table.folder}date=2026-03-01/")
    found = pq.read_table(io.BytesIO(storage.read(key))).to_pylist()
    assert [table.kind(**{n: one[n] for n in ON_DISK[table.name]}) for one in found] == [
        full,
        sparse,
    ]


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (int, SMALL),
        (int | None, SMALL),
        (float | None, REAL),
        (bool, "bool"),
        (bool | None, "bool"),
        (str | None, TEXT),
        (Decimal | None, MONEY),
        (datetime | None, TIME),
        (Literal["one", "other"] | None, TEXT),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["speakers", "any_seconds", "any_usd", "any_at", "any_bytes"])
def test_a_columns_type_is_that_of_its_annotation_whatever_its_name_ends_in(name, annotation, kind):
    assert str(schema(make_dataclass("NewRow", [(name, annotation)])).field(name).type) == kind


@pytest.mark.parametrize("annotation", [date, list[str], int | str, Literal[1, "one"]], ids=str)
def test_an_annotation_that_no_column_can_hold_is_told_with_row_and_field(annotation):
    with pytest.raises(TypeError, match=r"NewRow\.odd: .* no column type for .*\| None"):
        schema(make_dataclass("NewRow", [("odd", annotation)]))
