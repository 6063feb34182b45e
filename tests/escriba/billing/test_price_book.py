"""The price book: what is valid when, and what is refused."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from escriba.backend_names import TITLES
from escriba.billing.dated_rows import FOR_EVER
from escriba.billing.price_book import PriceBookError, read_price_book, seed_book, total
from escriba.billing.price_csv import book_csv
from escriba.settings import load_settings
from resources.gpu.registry import open_backends
from resources.gpu.runpod.deployment import GPU_TYPES
from resources.price_book import open_price_book

HEADING = "backend,sku,unit,price_usd,valid_from,valid_to,source\n"
MARCH, JUNE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def read(tmp_path):
    """Reads a book of these lines."""

    def of(*lines):
        path = tmp_path / "prices.csv"
        path.write_text(HEADING + "\n".join(lines) + "\n", encoding="utf-8")
        return read_price_book(path)

    return of


def test_a_price_is_valid_from_its_first_moment_to_before_its_last(read):
    book = read(
        "runpod,l4,gpu_second,0.00019,2026-03-01,2026-06-01,old",
        "runpod,l4,gpu_second,0.00016,2026-06-01,,new",
    )

    assert book.at("runpod", "l4", MARCH).source == "old"
    assert book.at("runpod", "l4", JUNE - A_MOMENT).source == "old"
    assert book.at("runpod", "l4", JUNE).source == "new"
    assert book.at("runpod", "l4", datetime(9999, 1, 1, tzinfo=UTC)).source == "new"


def test_borders_are_those_of_utc_wherever_the_clock_stands(read):
    book = read("runpod,l4,gpu_second,0.00019,2026-03-01,2026-06-01,here")
    in_sao_paulo = timezone(timedelta(hours=-3))

    assert book.at("runpod", "l4", datetime(2026, 2, 28, 21, tzinfo=in_sao_paulo))
    with pytest.raises(PriceBookError):
        book.at("runpod", "l4", datetime(2026, 5, 31, 21, tzinfo=in_sao_paulo))


@pytest.mark.parametrize(
    ("backend", "sku", "when"),
    [
        ("runpod", "h100", MARCH),
        ("elsewhere", "l4", MARCH),
        ("runpod", "l4", MARCH - A_MOMENT),
        ("runpod", "l4", JUNE),
    ],
)
def test_an_unknown_price_blocks_and_says_which_is_missing(read, backend, sku, when):
    book = read("runpod,l4,gpu_second,0.00019,2026-03-01,2026-06-01,here")

    with pytest.raises(PriceBookError, match=f"no price for {backend}/{sku} on .*Add a line"):
        book.at(backend, sku, when)


def test_two_prices_of_one_moment_are_refused_and_named(read):
    with pytest.raises(PriceBookError, match=r"runpod/l4 overlap at 2026-05-31.*valid_to"):
        read(
            "runpod,l4,gpu_second,0.00016,2026-05-31,,new",
            "runpod,l4,gpu_second,0.00019,2026-03-01,2026-06-01,old",
        )


def test_the_same_line_twice_is_an_overlap(read):
    with pytest.raises(PriceBookError, match="overlap"):
        read(*["runpod,l4,gpu_second,0.00019,2026-03-01,,twice"] * 2)


def test_different_skus_may_share_a_time(read):
    book = read(
        "runpod,l4,gpu_second,0.00019,2026-03-01,,a",
        "runpod,h100,gpu_second,0.00116,2026-03-01,,b",
        "aws_gpu,l4,machine_hour,0.5,2026-03-01,,c",
    )

    assert len(book.prices) == 3


@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        (
            "runpod,l4,gpu_minute,0.00019,2026-03-01,,no such unit",
            "unit 'gpu_minute' is not one of gpu_second, machine_hour, audio_minute",
        ),
        ("runpod,l4,gpu_second,cheap,2026-03-01,,", "price_usd 'cheap' is not an amount of money"),
        ("runpod,l4,gpu_second,,2026-03-01,,no price", "price_usd '' is not an amount of money"),
        ("runpod,l4,gpu_second,-0.1,2026-03-01,,", "price_usd '-0.1' is not an amount of money"),
        ("runpod,l4,gpu_second,NaN,2026-03-01,,", "price_usd 'NaN' is not an amount of money"),
        ("runpod,l4,gpu_second,Infinity,2026-03-01,,", "'Infinity' is not an amount of money"),
        (
            "runpod,l4,gpu_second,0.1,yesterday,,no date",
            "valid_from 'yesterday' is not a date such as",
        ),
        ("runpod,l4,gpu_second,0.1,2026-03-01,never,", "valid_to 'never' is not a date such as"),
        ("runpod,l4,gpu_second,0.1,2026-03-01,2026-03-01,", "valid_to is not after valid_from"),
        ("runpod,l4,gpu_second,0.1,2026-03-01,2026-02-01,", "valid_to is not after valid_from"),
        ("runpod,l4,gpu_second,0.00019,2026-03-01", "its number of fields differs from the header"),
        ("runpod,l4,gpu_second,0.00019", "its number of fields differs from the header"),
        (
            "runpod,l4,gpu_second,0,00019,2026-03-01,,",
            "its number of fields differs from the header",
        ),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_its_file_and_what_is_wrong(read, damaged, why):
    with pytest.raises(PriceBookError) as caught:
        read("runpod,a100,gpu_second,0.00076,2026-03-01,,good", "", damaged)

    said = str(caught.value)
    assert re.match(r"PRICE_BOOK: '/.*/prices\.csv', line 4: ", said)
    assert why in said
    assert "Error(" not in said
    assert "<class" not in said


def test_a_book_without_a_column_is_refused(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("backend,sku,price_usd\nrunpod,l4,0.1\n")

    with pytest.raises(
        PriceBookError, match=r"prices\.csv', line 2: the header has no column 'unit'\.$"
    ):
        read_price_book(path)


def test_a_book_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_bytes(HEADING.encode() + b"\xff\xfe")

    with pytest.raises(
        PriceBookError, match=r"PRICE_BOOK: .*prices\.csv' is not a CSV file in UTF-8"
    ):
        read_price_book(path)


def test_a_book_that_a_spreadsheet_wrote_is_read(tmp_path):
    path = tmp_path / "prices.csv"
    line = "runpod,l4,gpu_second,0.00019,2026-03-01,,with a mark of its bytes' order"
    path.write_text(f"{HEADING}{line}\n", encoding="utf-8-sig")

    assert [price.name for price in read_price_book(path).prices] == ["runpod/l4"]


@pytest.mark.parametrize(
    ("unit", "usd", "per_hour"),
    [
        ("gpu_second", "0.00019", "0.684"),
        ("machine_hour", "0.05", "0.05"),
        ("audio_minute", "0.006", "0.36"),
    ],
)
def test_every_unit_has_its_price_of_an_hour(price, unit, usd, per_hour):
    assert price(usd, unit).usd_per_hour == Decimal(per_hour)


def test_the_shipped_book_has_a_price_wherever_a_job_may_run(shipped_book):
    [backend] = open_backends(load_settings())
    now = datetime.now(UTC)

    assert shipped_book.at(backend.name, backend.sku, now).price_usd > 0
    for name in ("local", "runpod", "aws_gpu", "gcp_gpu", "openai"):
        assert [price for price in shipped_book.prices if price.backend == name]
    assert all(price.source for price in shipped_book.prices)


def test_sums_of_money_stay_exact():
    assert total([]) == 0
    assert total([Decimal("0.000000001")] * 1_000_000) == Decimal("0.001")
    assert isinstance(total([]), Decimal)


EUROS = "pyannote_ai,precision-2,audio_minute,,2026-01-01,,list,EUR,0.0018,20"
RATES = """\
currency,usd_per_unit,valid_from,valid_to,source
EUR,1.1,2020-01-01,2026-03-01,assumption: put in the rate of your bank
EUR,1.2,2026-03-01,,bank
"""


@pytest.fixture
def in_euros(tmp_path):
    book, rates = tmp_path / "prices.csv", tmp_path / "rates.csv"
    book.write_text(f"{HEADING.strip()},currency,price,minimum_seconds\n{EUROS}\n")
    rates.write_text(RATES)
    return read_price_book(book, rates)


def test_a_price_in_euros_is_dollars_at_the_rate_of_its_day(in_euros):
    before, after = (
        in_euros.at("pyannote_ai", "precision-2", when) for when in (MARCH - A_MOMENT, MARCH)
    )

    assert (before.price_usd, after.price_usd) == (Decimal("0.00198"), Decimal("0.00216"))
    assert before.rate_source.startswith("assumed rate from EXCHANGE_RATES: 1 EUR = 1.1 USD")
    assert after.rate_source.startswith(
        "rate from EXCHANGE_RATES: 1 EUR = 1.2 USD since 2026-03-01"
    )


@pytest.mark.parametrize(
    ("seconds", "usd"), [("0", "0"), ("1", "0.00072"), ("20", "0.00072"), ("60", "0.00216")]
)
def test_a_request_is_billed_at_least_so_many_seconds(in_euros, seconds, usd):
    """20 s of 0.00216 a minute are 0.00072; what never ran costs nothing."""
    price = in_euros.at("pyannote_ai", "precision-2", MARCH)

    assert price.cost_usd(Decimal(seconds)) == Decimal(usd)


def test_a_currency_without_a_rate_makes_no_price(tmp_path):
    book = tmp_path / "prices.csv"
    book.write_text(f"{HEADING.strip()},currency,price,minimum_seconds\n{EUROS}\n")

    with pytest.raises(PriceBookError, match="no price for pyannote_ai/precision-2"):
        read_price_book(book).at("pyannote_ai", "precision-2", MARCH)


def test_a_least_of_machine_time_is_refused(tmp_path):
    book = tmp_path / "prices.csv"
    book.write_text(f"{HEADING.strip()},minimum_seconds\nrunpod,l4,gpu_second,1,2026-01-01,,x,10\n")

    with pytest.raises(
        PriceBookError, match=r"line 2: minimum_seconds applies only to audio_minute"
    ):
        read_price_book(book)


@pytest.mark.parametrize(("least", "most", "usd"), [(0, 3, 2), (1, 3, 2), (3, 3, 1)])
def test_workers_that_are_all_kept_warm_have_the_active_price(tmp_path, least, most, usd):
    book = tmp_path / "prices.csv"
    book.write_text(f"{HEADING.strip()},active_price_usd\nrunpod,l4,gpu_second,2,2026-01-01,,x,1\n")
    settings = load_settings(price_book=book, runpod_workers_min=least, runpod_workers_max=most)

    assert open_price_book(settings).at("runpod", "l4", MARCH).price_usd == usd


OLD_WAY = f"""\
{HEADING.strip()},active_price_usd
runpod,l4,gpu_second,3,2026-01-01,,x,
runpod,l4-active,gpu_second,2,2026-02-01,2026-03-01,x,
runpod,l4-active,gpu_second,1,2026-03-01,,x,
"""


def test_active_prices_that_are_a_sku_of_their_own_are_read_as_the_column(tmp_path):
    book = tmp_path / "prices.csv"
    book.write_text(OLD_WAY)
    prices = read_price_book(book).prices

    assert [(one.name, one.price_usd, one.active_price_usd) for one in prices] == [
        ("runpod/l4", 3, None),
        ("runpod/l4", 3, 2),
        ("runpod/l4", 3, 1),
    ]
    assert [f"{one.valid_from:%m-%d}" for one in prices] == ["01-01", "02-01", "03-01"]
    assert prices[-1].valid_to == FOR_EVER
    book.write_text(book_csv(seed_book(book)))  # as the tables are built of it
    assert read_price_book(book).prices == prices


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("runpod,l5-active,gpu_second,1,2026-01-01,,x,", "l5-active matches no line runpod/l5"),
        ("runpod,l4-active,machine_hour,1,2026-01-01,,x,", "l4-active has a different unit"),
        ("runpod,l4-active,gpu_second,1,2026-01-01,,x,", "cover the same days. Remove one"),
    ],
)
def test_an_active_price_that_cannot_be_the_column_says_what_to_do(tmp_path, line, why):
    book = tmp_path / "prices.csv"
    own = "1" if "Remove one" in why else ""
    book.write_text(
        f"{HEADING.strip()},active_price_usd\nrunpod,l4,gpu_second,2,2026-01-01,,x,{own}\n{line}\n"
    )

    with pytest.raises(PriceBookError, match=why):
        read_price_book(book)


def test_every_backend_that_can_be_set_up_has_a_price_in_the_shipped_book():
    book = open_price_book(load_settings())
    names = {price.name for price in book.prices}

    assert names >= {f"runpod/{gpu}" for gpu in GPU_TYPES}
    assert {price.backend for price in book.prices} >= TITLES.keys()
    groq = book.at("groq", "whisper-large-v3-turbo", MARCH)
    assert groq.minimum_seconds == 10
    assert book.at("pyannote_ai", "precision-2", MARCH).minimum_seconds == 20


LEASED = f"""\
{HEADING.strip()},add_on
aws_gpu,g5.xlarge,machine_hour,0.47,2026-01-01,,x,
aws_gpu,disk,machine_hour,0.01,2026-01-01,2026-03-01,x,storage
aws_gpu,disk,machine_hour,0.02,2026-03-01,,x,storage
aws_gpu,address,machine_hour,0.005,2026-01-01,,x,network
runpod,l4,gpu_second,0.00019,2026-01-01,,x,
"""


def test_what_comes_with_a_machine_is_no_machine_and_is_in_its_quote(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text(LEASED)
    book = read_price_book(path)

    assert [one.name for one in book.prices] == ["aws_gpu/g5.xlarge", "runpod/l4"]
    assert [one.beside_usd_per_hour for one in book.prices] == [Decimal("0.025"), 0]
    assert {(one.sku, one.add_on) for one in book.add_ons} == {
        ("disk", "storage"),
        ("address", "network"),
    }
    leased = book.at("aws_gpu", "g5.xlarge", MARCH)
    assert leased.leased_usd(Decimal(3600)) == Decimal("0.495")
    assert leased.cost_usd(Decimal(3600)) == Decimal("0.47")
    path.write_text(book_csv(seed_book(path)))  # as the tables are built of it
    again = read_price_book(path)
    assert (set(again.prices), set(again.add_ons)) == (set(book.prices), set(book.add_ons))


@pytest.mark.parametrize(
    "line",
    [
        "aws_gpu,disk,gpu_second,0.01,2026-01-01,,x,storage",
        "aws_gpu,disk,machine_hour,0.01,2026-01-01,,x,disk",
    ],
)
def test_what_comes_with_a_machine_has_a_category_and_is_paid_by_the_hour(tmp_path, line):
    path = tmp_path / "prices.csv"
    path.write_text(f"{HEADING.strip()},add_on\n{line}\n")

    with pytest.raises(PriceBookError, match="add_on"):
        read_price_book(path)


def test_the_built_in_disks_and_addresses_are_those_of_machines_alone(shipped_book):
    with_add_ons = {one.backend for one in shipped_book.prices if one.beside_usd_per_hour}

    assert with_add_ons == {"aws_gpu", "gcp_gpu"} == {one.backend for one in shipped_book.add_ons}
    assert all(one.source for one in shipped_book.add_ons)
