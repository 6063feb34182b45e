"""An endpoint's hour is billed once, by whatever length of records it is asked for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.invoice_rows import InvoiceError
from resources.compaction import compact_ledger
from resources.ledger.tables import INVOICES
from resources.storage.base import StorageError

BEFORE = datetime(2026, 3, 12, tzinfo=UTC)


@pytest.fixture
def a_bill(write_json, bills):
    """A file of RunPod with a record for each of these starts."""

    def write(*starts, name="bill.json", **changes):
        records = [bills.runpod | {"startTime": f"2026-{start}:00Z"} | changes for start in starts]
        return write_json(name, records)

    return write


def test_hours_that_are_called_days_are_refused_with_both_and_what_to_say(take, kept, a_bill):
    path = a_bill("03-10T00:00", "03-10T01:00")

    told = (
        r"^bill\.json, line 2: ep1, 2026-03-10 01:00 to 2026-03-11 01:00, overlaps bill\.json, "
        r"line 1 \(2026-03-10 00:00 to 2026-03-11 00:00\) and .* --bucket hour"
    )
    with pytest.raises(InvoiceError, match=told):
        take(path)
    assert kept() == []

    assert take(path, bucket="hour").new == 2


def test_a_day_and_its_hours_in_one_delivery_are_refused(take, kept, a_bill):
    hour = a_bill("03-10T05:00", name="hour.json", endTime="2026-03-10T06:00:00Z")

    with pytest.raises(InvoiceError, match=r"hour\.json, line 1: .* overlaps day\.json, line 1"):
        take(hour, a_bill("03-10T00:00", name="day.json"))
    assert kept() == []


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("03-10T00:00", "day"), ("03-10T23:00", "hour")),
        (("03-10T23:00", "hour"), ("03-10T00:00", "day")),
        (("03-30T00:00", "week"), ("04-02T00:00", "day")),
        (("04-02T00:00", "day"), ("03-30T00:00", "week")),
    ],
)
def test_what_overlaps_an_earlier_import_is_refused(take, kept, a_bill, first, then):
    after = datetime(2026, 4, 10, tzinfo=UTC)
    take(a_bill(first[0]), bucket=first[1], now=after)

    told = (
        r"^bill\.json, line 1: ep1, .*, which was imported on 2026-04-10, and .*same --bucket as in"
    )
    with pytest.raises(InvoiceError, match=told):
        take(a_bill(then[0]), bucket=then[1], now=after)
    assert len(kept()) == 1


def test_a_month_that_an_earlier_import_told_is_seen_from_its_last_day(take, a_bill):
    take(a_bill("03-01T00:00", endTime="2026-04-01T00:00:00Z"))

    with pytest.raises(InvoiceError, match="2026-03-01 00:00 to 2026-04-01 00:00, which was"):
        take(a_bill("03-31T00:00"))


def test_a_wrong_import_is_taken_back_with_the_amount_0(take, kept, a_bill):
    take(a_bill("03-10T00:00"), now=BEFORE)
    assert take(a_bill("03-10T00:00", totalAmount=0)).replaced == 1

    assert take(a_bill("03-10T00:00", "03-10T01:00"), bucket="hour").new == 2
    assert sorted(row.amount for row in kept()) == [0, *[Decimal("1.25")] * 3]


def test_neighbours_and_other_endpoints_do_not_overlap(take, a_bill):
    take(a_bill("03-10T00:00"))

    assert take(a_bill("03-09T00:00", "03-11T00:00")).new == 2
    assert take(a_bill("03-10T05:00", serverlessId="ep2"), bucket="hour").new == 1


def test_a_corrected_day_takes_the_place_of_the_one_before(take, a_bill):
    take(a_bill("03-10T00:00", "03-11T00:00"), now=BEFORE)
    both = a_bill("03-10T00:00", "03-11T00:00", "03-12T00:00", totalAmount=2)

    done = take(both)
    assert (done.new, done.replaced, done.unchanged) == (1, 2, 0)


def test_fees_of_a_month_beside_hours_are_no_overlap_with_aws(take, a_cur):
    month = {
        "line_item_usage_start_date": "2026-03-01T00:00:00Z",
        "line_item_usage_end_date": "2026-04-01T00:00:00Z",
    }

    assert take(a_cur({}, month)).new == 2
    later = a_cur(month | {"line_item_usage_end_date": "2026-03-20T00:00:00Z"})
    assert take(later, wish="part").new == 1


def test_the_word_that_counts_is_the_last_one(take, kept, a_bill):
    for day, amount in ((12, 1), (13, 2), (14, 1), (15, 1)):
        at = datetime(2026, 3, day, tzinfo=UTC)
        done = take(a_bill("03-10T00:00", totalAmount=amount), now=at)

    assert (done.replaced, done.unchanged) == (0, 1)
    assert sorted(row.amount for row in kept()) == [1, 1, 2]


def test_a_damaged_file_of_the_ledger_is_named_and_nothing_is_written(take, storage, a_bill):
    storage.write(f"{INVOICES}date=2026-03-10/bad.parquet", b"PAR1 no")

    with pytest.raises(StorageError, match=r"date=2026-03-10/bad\.parquet' cannot be read"):
        take(a_bill("03-10T00:00"))
    assert len(list(storage.list(INVOICES))) == 1


def test_what_was_compacted_is_still_the_same(take, storage, a_bill):
    for day in (12, 13):
        take(a_bill("03-10T00:00", totalAmount=day), now=datetime(2026, 3, day, tzinfo=UTC))
    assert compact_ledger(storage, datetime(2026, 6, 1, tzinfo=UTC)).days == 1

    assert take(a_bill("03-10T00:00", totalAmount=13)).unchanged == 1


def test_a_day_that_was_not_over_counts_as_whole_when_the_same_is_read_after_it(
    take, kept, a_bill, day
):
    """Nothing more was used that evening: without a word on it the day would stay as measured."""
    at_noon, at_night = day + timedelta(hours=12), day + timedelta(hours=20)
    for now in (at_noon, at_night, day + timedelta(hours=33), day + timedelta(hours=40)):
        done = take(a_bill("03-10T00:00"), now=now)

    assert (done.new, done.replaced, done.unchanged) == (0, 0, 1)
    assert sorted(row.imported_at for row in kept()) == [at_noon, day + timedelta(hours=33)]
