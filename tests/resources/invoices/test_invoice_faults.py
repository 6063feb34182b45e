"""Files of bills that are damaged, misread or of nothing: each fault is told with its place."""

import gzip
import json
import math
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escriba.billing.exchange_rates import ExchangeRateError, read_exchange_rates
from escriba.billing.invoice_rows import InvoiceError
from resources.invoices.import_invoices import DeliveryFiles, import_invoices

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture
def refused(take, kept):
    """What is said of files; nothing of them is written."""

    def told(*paths, **delivery):
        with pytest.raises(InvoiceError) as error:
            take(*paths, **delivery)
        assert kept() == []
        return str(error.value)

    return told


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def damaged(data, how):
    """A gzipped file as a bad copy leaves it."""
    if how == "cut off":
        return data[:-20]
    if how == "no gzip":
        return b"name,age\nx,3\n"
    if how == "other sum":
        return data[:-8] + bytes(4) + data[-4:]
    return data[:30] + bytes(255 - byte for byte in data[30:60]) + data[60:]


@pytest.mark.parametrize("how", ["cut off", "no gzip", "other sum", "flipped"])
@pytest.mark.parametrize("name", ["bill.csv.gz", "bill.json.gz", "bill.jsonl.gz"])
def test_a_damaged_archive_is_told_with_its_line(refused, write, bills, name, how):
    whole = gzip.compress(json.dumps(bills.runpod).encode())

    told = refused(write(name, damaged(whole, how)))

    assert told.startswith(f"{name}, line 1: the file is damaged or cut off here (")


def test_a_long_list_of_tags_is_read(take, a_cur):
    many = json.dumps({"user_note": "x" * 200_000})

    assert take(a_cur({"resource_tags": many})).rows == 1


def test_a_quote_that_never_ends_is_told_with_its_line(refused, write, a_cur):
    text = a_cur({}).read_text()
    short, long = write("a.csv", f'{text}"11'), write("b.csv", f'{text}"{"x" * 17_000_000}')

    assert "a.csv, line 3: it is not CSV: unexpected end" in refused(short)
    assert "b.csv, line 3: it is not CSV: field larger than" in refused(long)


@pytest.mark.parametrize("amount", ["1e30", "99999999999", "-1000000000", "1e999999", "9" * 5_000])
def test_more_than_the_ledger_holds_is_told_with_its_line(refused, a_cur, amount):
    told = refused(a_cur({}, {"line_item_unblended_cost": amount}))

    assert "cur.csv, line 3: line_item_unblended_cost " in told
    assert told.endswith("is more than the ledger can store")


def test_lines_that_add_up_to_more_than_the_ledger_holds_are_told(refused, a_cur):
    told = refused(a_cur(*[{"line_item_unblended_cost": "600000000"}] * 2))

    assert "cur.csv, line 2: AmazonEC2/SpotUsage:g5.xlarge, 2026-03-10 12:00 to " in told
    assert "adds up to 1200000000 USD" in told


def test_a_rate_that_makes_more_of_it_than_the_ledger_holds_is_told(storage, a_cur, write):
    head = "currency,usd_per_unit,valid_from,valid_to,source\n"
    rates = read_exchange_rates(write("rates.csv", f"{head}USD,1e25,2020-01-01,,x\n"))

    with pytest.raises(InvoiceError, match=r"cur\.csv, line 2: .* more than the ledger can store"):
        import_invoices(
            storage, [a_cur({})], rates, DeliveryFiles(), datetime(2026, 4, 1, tzinfo=UTC)
        )


@pytest.mark.parametrize("name", ["bill.json", "bill.jsonl"])
def test_json_that_is_nested_too_deeply_is_told(refused, write, name):
    assert f"{name}, line 1: it is nested too deeply" in refused(write(name, DEEP))


@pytest.mark.parametrize("name", ["bill.json", "bill.jsonl"])
def test_a_number_of_too_many_digits_is_told(refused, write, bills, name):
    text = json.dumps(bills.runpod).replace("1.25", "9" * 5_000)

    told = refused(write(name, text))
    assert f"{name}, line 1: totalAmount '9999" in told
    assert len(told) < 200


@pytest.mark.parametrize("amount", [math.inf, math.nan, True, [1.25], {"usd": 1.25}])
def test_what_json_can_say_and_is_no_amount_is_told(refused, write_json, bills, amount):
    told = refused(write_json("bill.json", [bills.runpod | {"totalAmount": amount}]))

    assert "bill.json, line 1: totalAmount " in told
    assert "is not an amount of money" in told


def test_json_that_is_cut_off_is_told_where_it_ends(refused, write, bills):
    whole = json.dumps({"records": [bills.runpod]}, indent=1)

    assert "bill.json, line 6: it is not JSON: " in refused(write("bill.json", whole[:-14]))


def test_json_lines_that_are_called_json_are_read(take, write, bills):
    both = [bills.runpod, bills.runpod | {"serverlessId": "ep2"}]

    assert take(write("bill.json", "\n".join(map(json.dumps, both)))).rows == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"credits": [5]}, "credits ['5'] is not a list of objects"),
        ({"credits": {"amount": 5}}, "is not a list of objects"),
        ({"credits": "[{"}, "credits '[{' is not JSON"),
        ({"credits": DEEP}, "credits is nested too deeply"),
        ({"usage_start_time": "0001-01-01T00:00:00+14:00"}, "is out of range"),
        ({"usage_end_time": "9999-12-31T23:00:00-14:00"}, "is out of range"),
        ({"usage_end_time": "9999-12-31 23:00:00 UTC"}, "is longer than ten years"),
        ({"usage_end_time": "2026-03-10 11:00:00 UTC"}, "12:00 to 2026-03-10 11:00 ends before"),
        ({"currency": ""}, "its currency is empty"),
        ({"currency": None}, "its currency is empty"),
    ],
)
def test_a_field_of_google_that_cannot_be_is_told(refused, write_json, bills, change, told):
    said = refused(write_json("export.jsonl", bills.gcp | change))

    assert said.startswith("export.jsonl, line 1: ")
    assert told in said


@pytest.mark.parametrize("labels", [5, [5], [["purpose"]], [{"name": "purpose"}], DEEP, "{"])
def test_labels_that_are_none_are_told(refused, write_json, bills, labels):
    path = write_json("export.jsonl", bills.gcp | {"labels": labels})

    assert refused(path, tag=("purpose", "x")).startswith("export.jsonl, line 1: labels ")


def test_half_a_character_is_told(refused, write_json, bills):
    broken = bills.runpod | {"serverlessId": "ep\ud800"}

    assert "bill.json, line 1: a text contains half a" in refused(write_json("bill.json", [broken]))


def test_an_hour_beyond_the_times_there_are_is_told(refused, write_json, bills):
    last = bills.runpod | {"startTime": "9999-12-31T23:30:00Z"}

    assert "bill.json, line 1: startTime 9999" in refused(write_json("bill.json", [last]))


@pytest.mark.parametrize("day", ["2026-04-03", "9999-01-01"])
def test_what_begins_in_the_future_is_told(refused, write_json, bills, day):
    later = bills.runpod | {"startTime": f"{day}T00:00:00Z"}

    told = refused(write_json("bill.json", [bills.runpod, later]))
    assert f"bill.json, line 2: its period {day} 00:00 to " in told
    assert told.endswith("begins in the future")


def test_a_time_that_python_cannot_hold_is_told(refused, tmp_path, bills):
    column = pa.array([2**62], pa.timestamp("us", tz="UTC"))
    table = pa.table({"line_item_unblended_cost": ["1"], "line_item_usage_start_date": column})
    pq.write_table(table, tmp_path / "cur.parquet")

    assert "cur.parquet, line 1: " in refused(tmp_path / "cur.parquet")


def test_a_parquet_file_that_is_cut_or_flipped_is_told(refused, tmp_path):
    path = tmp_path / "cur.parquet"
    pq.write_table(pa.table({"line_item_unblended_cost": ["1"] * 5_000}), path)
    whole = path.read_bytes()
    for bad in (whole[:-10], whole[:4] + bytes(40) + whole[44:]):
        path.write_bytes(bad)
        assert "cur.parquet" in refused(path)


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.csv.gz", "a.parquet"])
def test_a_folder_is_no_bill(refused, tmp_path, name):
    (tmp_path / name).mkdir()

    assert f"{name} cannot be read: " in refused(tmp_path / name)


def test_text_that_is_not_utf_8_is_told(refused, write):
    assert "a.csv, line 1: this, or what" in refused(write("a.csv", "a,b\n1,2\n".encode("utf-16")))


def test_a_tag_is_refused_where_records_carry_none(refused, write_json, bills):
    told = refused(write_json("bill.json", [bills.runpod]), tag=("purpose", "x"))

    assert told == "bill.json, line 1: RunPod's records have no tags. Import them without --tag"


def test_a_currency_without_a_rate_is_told_with_its_line(take, a_cur):
    with pytest.raises(ExchangeRateError, match=r"^cur\.csv, line 3: no exchange rate for 'CHF'"):
        take(a_cur({}, {"line_item_currency_code": "CHF"}))


@pytest.mark.parametrize("rate", ["0", "-0.2", "NaN"])
def test_a_rate_that_is_not_above_zero_is_told_with_its_line(write, rate):
    table = f"currency,usd_per_unit,valid_from,valid_to,source\nBRL,{rate},2026-01-01,,x\n"

    with pytest.raises(
        ExchangeRateError, match=r"EXCHANGE_RATES: .*rates\.csv', line 2: usd_per_unit"
    ):
        read_exchange_rates(write("rates.csv", table))


@pytest.mark.parametrize("table", [b"currency\xff,usd\n", b"currency,u\n" + b"x" * 140_000])
def test_a_table_of_rates_that_is_no_text_is_told(write, table):
    with pytest.raises(
        ExchangeRateError, match=r"EXCHANGE_RATES: '.*rates\.csv' is not a CSV file"
    ):
        read_exchange_rates(write("rates.csv", table))
