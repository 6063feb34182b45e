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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escriba.billing.exchange_rates import read_exchange_rates
from escriba.billing.invoice_rows import BilledLine, InvoiceError, invoice_rows, sums_by_row_id
from escriba.settings import HOUSE, load_settings
from resources.invoices.import_invoices import DeliveryFiles, import_invoices
from resources.ledger.tables import INVOICES, LEDGER_INVOICES
from resources.ledger.writer import write_rows
from resources.storage import open_storage

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def counted(costs, rates):
    """Imports one delivery after another, each a list of files; what the cost tables count."""

    def of(*imports, **delivery):
        for paths in imports:
            import_invoices(costs.storage, paths, rates, DeliveryFiles(**delivery), APRIL)
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

    with pytest.raises(
        InvoiceError, match=r"cur-1\.csv of the previous delivery was imported again"
    ):
        counted([changed])
    assert counted([one, changed]) == Decimal("1.60")


@pytest.fixture
def parts(counted, write_csv, bills):
    """1.00 and 0.40 of two machines, as two files of one delivery that came one at a time."""

    def write(name, **usd):
        lines = [
            hour(bills, amount, line_item_resource_id=f"i-{n}", identity_line_item_id=n)
            for n, amount in usd.items()
        ]
        return write_csv(name, lines)

    def of(first, second):
        assert counted([write(first, x="1.00")], [write(second, y="0.40")]) == Decimal("1.40")
        return write

    return of


def test_a_delivery_that_is_one_file_of_the_one_before_is_asked_about(counted, parts):
    write = parts("cur-0-1.csv", "cur-0-2.csv")
    final = write("cur-1-1.csv", x="1.00")

    with pytest.raises(
        InvoiceError, match=r"are those of cur-0-1\.csv, which was imported .* with cur-0-2\.csv"
    ):
        counted([final])
    assert counted([write("cur-0-1.csv", x="1.00")]) == Decimal("1.40")  # the same once more
    assert counted([final], wish="part") == Decimal("1.40")
    assert counted([final], wish="whole") == Decimal("1.00")


def test_a_file_that_came_once_more_says_what_stands_beside_it(take, write_csv, bills):
    paths = [
        write_csv(f"cur-{n}.csv", [hour(bills, usd, line_item_resource_id=f"i-{n}")])
        for n, usd in ((1, "1.00"), (2, "0.40"))
    ]
    take(*paths)

    told = (
        "cur-2.csv of the same delivery stays in place. Use --whole if the given files are a "
        "complete new delivery."
    )
    assert take(paths[0]).sentence.endswith(told)
    assert "Beside" not in take(*paths).sentence


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cur-1-1.csv", "is not numbered like cur-0-1.csv, cur-0-2.csv"),
        ("cur-0-1.csv", "has the name of a known file"),
    ],
)
def test_a_first_file_of_new_lines_alone_is_asked_about(counted, parts, name, why):
    """Beside it a line is said again, in the second file: alone it would take the first's place."""
    write = parts("cur-0-1.csv", "cur-0-2.csv")
    one = write(name, z="0.20")

    with pytest.raises(InvoiceError, match=why):
        counted([one])
    two = write(name.replace("-1.csv", "-2.csv"), x="1.00", w="0.30")
    assert counted([one, two]) == Decimal("1.50")


def test_names_that_tell_nothing_lose_nothing(counted, parts):
    """A further part of new lines, and then a file that begins a new delivery."""
    write = parts("early.csv", "late.csv")
    one, two = write("a.csv", z="0.20"), write("b.csv", x="1.00", w="0.30")
    assert counted([one]) == Decimal("1.60")

    with pytest.raises(InvoiceError, match=r"a\.csv, late\.csv was imported after the first files"):
        counted([two])
    assert counted() == Decimal("1.60")
    assert counted([one, two], wish="whole") == Decimal("1.50")


def test_a_part_that_came_once_more_with_a_new_one_is_asked_about(counted, parts):
    write = parts("cur-1.csv", "cur-2.csv")
    again, new = write("cur-1.csv", x="1.00"), write("cur-3.csv", z="0.20")

    with pytest.raises(InvoiceError, match=r"repeats cur-1\.csv but not cur-2\.csv"):
        counted([again, new])
    assert counted([again, new], wish="whole") == Decimal("1.20")


def test_a_delivery_that_is_issued_again_after_another_one_is_asked_about(
    counted, write_csv, bills
):
    first, second = [hour(bills, "1.00")], [hour(bills, "1.00"), hour(bills, "0.40", at=15)]
    counted([write_csv("cur-0.csv", first)], [write_csv("cur-1.csv", second)])
    third = write_csv("cur-2.csv", first)

    with pytest.raises(InvoiceError, match=r"cur-2\.csv: the lines are those of a delivery of"):
        counted([third])
    assert counted([write_csv("cur-0.csv", first)]) == Decimal("1.40")
    assert counted([third], wish="whole") == Decimal("1.00")


def test_what_a_new_delivery_drops_is_told(take, write_csv, bills):
    kept, dropped = hour(bills, "0.60"), hour(bills, "1.00", at=15)
    take(write_csv("early.csv", [kept, dropped]))
    done = take(write_csv("final.csv", [kept]))

    assert (done.new, done.replaced, done.unchanged, done.gone) == (0, 0, 1, 1)
    assert done.sentence.startswith("1 rows of aws_gpu, 0.60 USD, in place of 1.60 USD: ")
    assert done.sentence.endswith("; 1 of the previous delivery, 1.00 USD, are gone.")
    again = take(write_csv("early.csv", [kept, dropped]))
    assert "has a later delivery: these earlier files change nothing" in again.sentence


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
    rows = list(invoice_rows(sums_by_row_id(old), rates, APRIL))
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
def imports(draw, lines, issue):
    """One delivery's files, at once or one at a time, in any order, any number of times."""
    names = sorted(lines)
    part_of = {name: draw(st.integers(1, 3)) for name in names}
    files = [[name for name in names if part_of[name] == part] for part in (1, 2, 3)]
    files = [file for file in files if file]
    if draw(st.booleans()):
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
    """Whoever is asked gives all files of the delivery as a new one, as the message says."""
    storage = open_storage(load_settings(storage_url=(tmp_path / f"b{next(FOLDERS)}").as_uri()))
    rates = read_exchange_rates(HOUSE / "dbt_costs" / "seeds" / "exchange_rates.csv")
    for issue, lines in enumerate(data.draw(issues())):
        written = {}
        taken = []
        for files in data.draw(imports(lines, issue)):
            paths = []
            for _, part, names in files:
                of_part = [
                    hour(
                        bills,
                        str(lines[n]),
                        at=n % 3,
                        identity_line_item_id=f"id{n}",
                        line_item_resource_id=f"i-{n}",
                    )
                    for n in names
                ]
                written[part] = write_csv(f"cur-{issue}-{part:05}.csv", of_part)
                paths.append(written[part])
            taken.append(paths)
        for paths in [*taken, *data.draw(st.lists(st.sampled_from(taken), max_size=2))]:
            try:
                import_invoices(storage, paths, rates, DeliveryFiles(), APRIL)
            except InvoiceError:
                whole = DeliveryFiles(wish="whole")
                import_invoices(storage, list(written.values()), rates, whole, APRIL)

    assert standing(storage) == _by_hour(lines)


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
