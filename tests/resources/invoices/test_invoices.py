"""Invoices of the providers: what is read out of their files, and what is refused."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escriba.billing.exchange_rates import ExchangeRateError, read_exchange_rates
from escriba.billing.invoice_rows import InvoiceError

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_a_day_of_a_runpod_endpoint_is_a_line_of_its_bill(take, kept, write_json, bills, day):
    done = take(write_json("bill.json", {"records": [bills.runpod]}))

    [row] = kept()
    assert (done.rows, done.usd, done.backends) == (1, Decimal("1.25"), ("runpod",))
    assert (row.backend, row.sku, row.category) == ("runpod", "ep1", "compute")
    assert (row.period_start, row.period_end) == (day, day + timedelta(days=1))
    assert (row.amount, row.amount_usd, row.currency) == (Decimal("1.25"), Decimal("1.25"), "USD")


def test_both_versions_of_runpods_api_tell_the_same(take, kept, write_json, bills):
    take(write_json("v1.json", [bills.runpod_before]), write_json("v2.json", {"records": []}))
    [before] = kept()
    again = take(write_json("v2.json", {"records": [bills.runpod]}))

    assert (again.new, again.replaced, again.unchanged) == (0, 0, 1)
    assert kept() == [before]


def test_hourly_records_last_an_hour(take, kept, write_json, bills):
    take(write_json("bill.json", [bills.runpod]), bucket="hour")

    [row] = kept()
    assert row.period_end - row.period_start == timedelta(hours=1)


def test_an_hour_of_an_aws_machine_keeps_its_fractions(take, kept, write_csv, bills):
    take(write_csv("cur.csv", [bills.aws]))

    [row] = kept()
    assert (row.backend, row.category) == ("aws_gpu", "compute")
    assert row.sku == "AmazonEC2/SpotUsage:g5.xlarge"
    assert row.amount == Decimal("0.471234568")
    assert (row.period_start, row.period_end) == (NOON, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("change", "category"),
    [
        ({"line_item_line_item_type": "Tax", "line_item_usage_type": ""}, "tax"),
        ({"line_item_line_item_type": "Credit"}, "credit"),
        ({"line_item_line_item_type": "Refund"}, "credit"),
        ({"line_item_usage_type": "EBS:VolumeUsage.gp3"}, "storage"),
        ({"line_item_usage_type": "DataTransfer-Out-Bytes"}, "network"),
        ({"line_item_usage_type": "PublicIPv4:InUseAddress"}, "network"),
        ({"line_item_usage_type": "CW:Alarms"}, "other"),
    ],
)
def test_what_aws_bills_beside_machines_is_told_apart(take, kept, a_cur, change, category):
    take(a_cur(change))

    assert [row.category for row in kept()] == [category]


def test_lines_of_one_kind_and_hour_are_added_up_over_all_files(take, kept, write_csv, bills):
    one = write_csv("cur-1.csv", [bills.aws, bills.aws])
    two = write_csv("cur-2.csv", [bills.aws])
    take(one, two)

    [row] = kept()
    assert row.amount == Decimal("1.413703703")  # 3 × 0.4712345678, rounded once


def test_parquet_and_csv_and_gzip_tell_the_same(take, write_csv, tmp_path, bills):
    path = write_csv("cur.csv", [bills.aws])
    packed = tmp_path / "cur.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    record = bills.aws | {
        "line_item_usage_start_date": NOON,
        "line_item_usage_end_date": NOON + timedelta(hours=1),
        "line_item_unblended_cost": 0.4712345678,
        "resource_tags": [("user_purpose", "transcription-worker")],
    }
    kinds = pa.map_(pa.string(), pa.string())
    fields = [pa.field(name, pa.infer_type([value])) for name, value in record.items()]
    columns = pa.schema([f if f.name != "resource_tags" else f.with_type(kinds) for f in fields])
    pq.write_table(pa.Table.from_pylist([record], columns), tmp_path / "cur.parquet")

    tag = ("user_purpose", "transcription-worker")
    told = [take(one, tag=tag) for one in (path, packed, tmp_path / "cur.parquet")]
    assert [(one.new, one.unchanged) for one in told] == [(1, 0), (0, 1), (0, 1)]


def test_a_final_line_has_the_place_of_the_one_before_the_invoice_had_a_number(
    take, kept, write_csv, bills
):
    take(write_csv("early.csv", [bills.aws]))
    take(write_csv("final.csv", [bills.aws | {"bill_invoice_id": "INV-7"}]))

    early, final = sorted(kept(), key=lambda row: row.invoice_id)
    assert (early.invoice_id, final.invoice_id) == ("2026-03", "INV-7")
    assert early.row_id == final.row_id


def test_only_what_is_tagged_is_taken_where_a_tag_is_named(take, kept, write_csv, bills):
    other = bills.aws | {"resource_tags": json.dumps({"user_purpose": "shop"})}
    done = take(
        write_csv("cur.csv", [bills.aws, other, bills.aws | {"resource_tags": ""}]),
        tag=("user_purpose", "transcription-worker"),
    )

    assert (done.rows, done.left_out) == (1, 2)
    assert kept()[0].amount == Decimal("0.471234568")


def test_google_bills_in_reais_and_takes_credits_off(take, kept, tmp_path, bills):
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps(bills.gcp) + "\n\n", encoding="utf-8")
    take(path)

    cost, credit = sorted(kept(), key=lambda row: row.category)
    assert (cost.category, cost.amount, cost.currency) == ("compute", Decimal("1.75"), "BRL")
    assert cost.amount_usd == Decimal("0.35")  # 1.75 BRL at 0.2
    assert (credit.category, credit.amount_usd) == ("credit", Decimal("-0.15"))
    assert cost.invoice_id == "01A-02B/202603"


def test_an_export_to_csv_has_flat_names(take, kept, write_csv, bills):
    flat = {k: v for k, v in bills.gcp.items() if not isinstance(v, dict | list)}
    flat |= {"invoice.month": "202603", "service.description": "Compute Engine"}
    flat |= {
        "sku.id": "AAAA",
        "sku.description": "Storage PD Capacity",
        "credits": "",
        "labels": "",
    }
    take(write_csv("export.csv", [flat]))

    [row] = kept()
    assert (row.sku, row.category) == ("Compute Engine/AAAA", "storage")


def test_a_time_before_the_rate_changed_has_the_rate_of_then(
    take, kept, write_json, bills, tmp_path
):
    table = tmp_path / "rates.csv"
    table.write_text(
        "currency,usd_per_unit,valid_from,valid_to,source\n"
        "BRL,0.25,2026-01-01,2026-03-11,bank\nBRL,0.5,2026-03-11,,bank\n"
    )
    rates = read_exchange_rates(table)

    assert rates.usd(Decimal(4), "BRL", NOON) == Decimal(1)
    assert rates.usd(Decimal(4), "BRL", NOON + timedelta(hours=12)) == Decimal(2)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("BRL,cheap,2026-01-01,,x", "line 2: "),
        ("BRL,0.2,2026-01-01,2026-01-01,x", "line 2: "),
        ("BRL,0.2,2026-01-01,,x\nBRL,0.3,2026-06-01,,y", "two rates of BRL overlap at 2026-06-01"),
    ],
)
def test_a_table_of_rates_that_cannot_be_used_says_where(tmp_path, lines, told):
    path = tmp_path / "rates.csv"
    path.write_text(f"currency,usd_per_unit,valid_from,valid_to,source\n{lines}\n")

    with pytest.raises(ExchangeRateError, match=told):
        read_exchange_rates(path)


def test_an_unknown_currency_blocks_and_nothing_is_written(take, kept, write_csv, bills):
    path = write_csv("cur.csv", [bills.aws, bills.aws | {"line_item_currency_code": "CHF"}])

    with pytest.raises(ExchangeRateError, match=r"'CHF' on 2026-03-10.*EXCHANGE_RATES"):
        take(path)
    assert kept() == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"line_item_unblended_cost": "free"}, "'free' is not an amount"),
        ({"line_item_unblended_cost": ""}, "has no line_item_unblended_cost"),
        ({"line_item_unblended_cost": "NaN"}, "'NaN' is not an amount"),
        ({"line_item_usage_start_date": "yesterday"}, "yesterday"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_written(
    take, kept, a_cur, change, told
):
    with pytest.raises(InvoiceError, match=f"cur.csv, line 3: .*{told}"):
        take(a_cur({}, change))
    assert kept() == []


def test_what_is_no_bill_is_refused_with_what_it_has(take, write_csv, tmp_path):
    with pytest.raises(InvoiceError, match=r"a\.csv, line 2: its fields \(name, age …\).*runpod"):
        take(write_csv("a.csv", [{"name": "x", "age": 3}]))
    (tmp_path / "bill.pdf").write_bytes(b"%PDF")
    with pytest.raises(InvoiceError, match=r"bill\.pdf: unknown format '\.pdf'\. Give a CSV"):
        take(tmp_path / "bill.pdf")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InvoiceError, match=r"b\.parquet, line 1: this is not a valid Parquet file"):
        take(tmp_path / "b.parquet")
    (tmp_path / "c.jsonl").write_text('{"endpointId": "e"\n')
    with pytest.raises(InvoiceError, match=r"c\.jsonl, line 1: it is not JSON"):
        take(tmp_path / "c.jsonl")
