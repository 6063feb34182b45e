"""Bills in parts, again and corrected: what is counted is what the provider billed."""

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipelines.billing.currencies import read_exchange_rates
from pipelines.billing.invoices import BilledLine, InvoiceError, added_up, invoice_rows
from pipelines.settings import HOUSE, load_settings
from resources.invoices.importing import Delivery, import_invoices
from resources.ledger_tables import LEDGER_INVOICES
from resources.ledger_writer import INVOICES, write_rows
from resources.storage import open_storage

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def counted(costs, rates):
    """Imports one delivery after another, each a list of files; what the cost tables count."""

    def of(*imports, **delivery):
        for paths in imports:
            import_invoices(costs.storage, paths, rates, Delivery(**delivery), APRIL)
        costs.load()
        return sum(usd for (usd,) in costs.ask("SELECT amount_usd FROM ledger.invoices"))

    return of


def hour(bills, usd, at=12, **more):
    times = {
        "line_item_usage_start_date": f"2026-03-10T{at:02}:00:00Z",
        "line_item_usage_end_date": f"2026-03-10T{at + 1:02}:00:00Z",
    }
    return bills.aws | times | {"line_item_unblended_cost": usd} | more


@pytest.mark.parametrize("names", [("cur-00001.csv", "cur-00002.csv"), ("a.csv", "b.csv")])
def test_two_files_of_one_delivery_add_up_though_they_come_one_at_a_time(
    counted, write_csv, bills, names
):
    """The same hour, two machines: 1.00 + 0.40."""
    one = write_csv(
        names[0], [hour(bills, "1.00", line_item_resource_id="i-1", identity_line_item_id="x")]
    )
    two = write_csv(
        names[1], [hour(bills, "0.40", line_item_resource_id="i-2", identity_line_item_id="y")]
    )

    assert counted([one], [two], [one], [two, one]) == Decimal("1.40")


def test_parts_that_name_no_machine_are_told_by_the_number_of_the_part(counted, write_csv, bills):
    one = write_csv("cur-00001.csv", [hour(bills, "1.00")])
    two = write_csv("cur-00002.csv", [hour(bills, "0.40")])

    assert counted([one], [two]) == Decimal("1.40")


def test_where_nothing_tells_a_part_from_a_correction_it_is_asked(counted, write_csv, bills):
    one, two = write_csv("a.csv", [hour(bills, "1.00")]), write_csv("b.csv", [hour(bills, "0.40")])
    counted([one])

    with pytest.raises(InvoiceError, match=r"b\.csv: aws_gpu 111122223333/2026-03 was .*--whole"):
        counted([two])
    assert counted([two], wish="part") == Decimal("1.40")
    assert counted([two], wish="whole") == Decimal("0.40")


@pytest.mark.parametrize("is_grown", [True, False])
@pytest.mark.parametrize("times", [("", ""), ("2026-03-11T01:00:00Z", "2026-03-14T01:00:00Z")])
def test_an_export_of_google_that_grew_by_a_late_row(counted, tmp_path, bills, times, is_grown):
    """1.00, and 0.25 days later; the second file has both, or the late row alone."""
    usual = bills.gcp | {"currency": "USD", "credits": []}
    first, late = usual | {"cost": 1.00}, usual | {"cost": 0.25}
    if times[0]:
        first, late = first | {"export_time": times[0]}, late | {"export_time": times[1]}
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text(json.dumps(first))
    two.write_text("\n".join(map(json.dumps, [first, late] if is_grown else [late])))

    assert counted([one], [two], [one]) == Decimal("1.25")


def test_a_month_that_is_issued_again_without_one_of_its_lines(counted, write_csv, bills, costs):
    kept, dropped = hour(bills, "0.60"), hour(bills, "1.00", at=15)
    early, final = write_csv("early.csv", [kept, dropped]), write_csv("final.csv", [kept])
    counted([early])

    assert counted([final], [final], [early]) == Decimal("0.60")
    costs.build()
    assert costs.ask("SELECT sum(cost_usd) FROM marts.daily_spend") == [(Decimal("0.60"),)]


def test_a_file_that_came_once_more_may_be_of_the_delivery_that_begins_then(
    counted, write_csv, bills
):
    """Part 1 did not change, part 2 did: one at a time they could lose the first."""
    one = write_csv("cur-1.csv", [hour(bills, "1.00", line_item_resource_id="i-1")])
    two = [hour(bills, "0.40", line_item_resource_id="i-2"), hour(bills, "0.10", at=15)]
    counted([one], [write_csv("cur-2.csv", two)], [one])
    two[1]["line_item_unblended_cost"] = "0.20"
    changed = write_csv("cur-2.csv", two)

    with pytest.raises(InvoiceError, match=r"cur-1\.csv of the delivery before came once more"):
        counted([changed])
    assert counted([one, changed]) == Decimal("1.60")


def test_what_a_new_delivery_drops_is_told(take, write_csv, bills):
    kept, dropped = hour(bills, "0.60"), hour(bills, "1.00", at=15)
    take(write_csv("early.csv", [kept, dropped]))
    done = take(write_csv("final.csv", [kept]))

    assert (done.new, done.replaced, done.unchanged, done.gone) == (0, 0, 1, 1)
    assert done.sentence.startswith("1 rows of aws_gpu, 0.60 USD, in place of 1.60 USD: ")
    assert done.sentence.endswith("; 1 of the delivery before, 1.00 USD, are gone.")
    again = take(write_csv("early.csv", [kept, dropped]))
    assert "a later delivery stands: its files of before change nothing" in again.sentence


def test_other_payers_and_other_months_stay(counted, write_csv, bills):
    other = hour(bills, "2.00", bill_payer_account_id="999")
    april = hour(bills, "4.00", bill_billing_period_start_date="2026-04-01T00:00:00Z")
    paths = [
        write_csv(f"{n}.csv", [line]) for n, line in enumerate([hour(bills, "1"), other, april])
    ]

    assert counted(*[[path] for path in paths]) == 7


def test_a_line_that_only_moved_is_said_again_though_aws_gave_it_another_name(
    counted, write_csv, bills
):
    early = write_csv("early.csv", [hour(bills, "1.00", identity_line_item_id="x")])
    final = write_csv("final.csv", [hour(bills, "1.00", identity_line_item_id="z")])

    assert counted([early], [final]) == 1


def test_rows_of_a_version_before_deliveries_read_and_give_way(
    costs, counted, rates, write_csv, bills
):
    """They do not say of which bill they are: their names prove it."""
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    old = [
        BilledLine(
            "aws_gpu",
            f"{payer}/2026-03",
            "2026-03",
            "AmazonEC2/SpotUsage:g5.xlarge",
            "compute",
            at,
            at + timedelta(hours=1),
            Decimal(usd),
            "USD",
            "g5.xlarge spot, an hour",
        )
        for payer, usd in (("111122223333", "1.00"), ("999", "2.00"))
    ]
    rows = list(invoice_rows(added_up(old), rates, APRIL))
    before = {"bill": None, "exact": None, "lines": None, "rate_source": None, "schema_version": 1}
    write_rows(
        costs.storage,
        [row.__class__(**{n: getattr(row, n) for n in row.__slots__} | before) for row in rows],
    )

    assert counted() == 3
    assert counted([write_csv("cur.csv", [hour(bills, "0.60")])]) == Decimal("2.60")


@pytest.mark.parametrize("kind", ["SppDiscount", "EdpDiscount", "RiVolumeDiscount", "Refund"])
def test_whatever_aws_calls_a_discount_is_a_credit(take, kept, a_cur, kind):
    take(a_cur({"line_item_line_item_type": kind, "line_item_unblended_cost": "-0.1"}))

    assert [row.category for row in kept()] == ["credit"]


AMOUNTS = st.decimals("-5", "20", places=10, allow_nan=False)
LINES = st.dictionaries(st.integers(0, 30), AMOUNTS, min_size=1, max_size=8)
FOLDERS = count()


@st.composite
def issues(draw):
    """Deliveries of one month: each says some lines again, drops, corrects and adds others."""
    first = draw(LINES)
    found = [first]
    for _ in range(draw(st.integers(0, 2))):
        same = draw(st.sampled_from(sorted(found[-1])))
        found.append(draw(LINES) | {same: found[-1][same]})
    return found


@st.composite
def imports(draw, lines, issue, before):
    """One delivery's files, at once or one at a time, in any order, any number of times."""
    names = sorted(lines)
    part_of = {name: draw(st.integers(1, 3)) for name in names}
    files = [[name for name in names if part_of[name] == part] for part in (1, 2, 3)]
    # a first file with new lines alone could as well be a part of the delivery before
    stays = [n for n in names if before.get(n) == lines[n]]
    files = [file for file in files if file]
    # a file that is one of before is that file, whatever delivery it is said to be of
    assume(not any(all(before.get(n) == lines[n] for n in file) for file in files))
    is_plain = not before or all(set(stays) & set(file) for file in files)
    if not is_plain or draw(st.booleans()):
        return [[(issue, part, file) for part, file in enumerate(files)]] * draw(st.integers(1, 2))
    single = [[(issue, part, file)] for part, file in enumerate(files)]
    return draw(st.permutations(single + draw(st.lists(st.sampled_from(single), max_size=2))))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_split_and_order_of_any_number_of_issues_counts_the_last_one(
    data, tmp_path, write_csv, bills
):
    storage = open_storage(load_settings(storage_url=(tmp_path / f"b{next(FOLDERS)}").as_uri()))
    rates = read_exchange_rates(HOUSE / "dbt_costs" / "seeds" / "exchange_rates.csv")
    before, taken = {}, []
    for issue, lines in enumerate(data.draw(issues())):
        for files in data.draw(imports(lines, issue, before)):
            paths = [
                write_csv(
                    f"cur-{issue}-{part:05}.csv",
                    [
                        hour(
                            bills,
                            str(lines[n]),
                            at=n % 3,
                            identity_line_item_id=f"id{n}",
                            line_item_resource_id=f"i-{n}",
                        )
                        for n in names
                    ],
                )
                for issue, part, names in files
            ]
            import_invoices(storage, paths, rates, Delivery(), APRIL)
            taken.append(paths)
        before = lines
    for paths in data.draw(st.lists(st.sampled_from(taken), max_size=2)):
        if paths[0].name.startswith(f"cur-{issue}-"):
            import_invoices(storage, paths, rates, Delivery(), APRIL)

    assert standing(storage) == _by_hour(before)


def _by_hour(lines):
    """To the nano-dollar by hour, as the ledger keeps them."""
    sums = {}
    for n, amount in lines.items():
        sums[n % 3] = sums.get(n % 3, Decimal(0)) + amount
    return {at: amount.quantize(Decimal("1e-9")) for at, amount in sums.items()}


def standing(storage):
    every = pa.concat_tables(
        pq.read_table(io.BytesIO(storage.read(found.key))) for found in storage.list(INVOICES)
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(
            "SELECT hour(period_start), amount_usd FROM "
            f"({LEDGER_INVOICES.latest('FROM every')}) WHERE withdrawn_at IS NULL"
        ).fetchall()
    assert every.num_rows
    return dict(found)
