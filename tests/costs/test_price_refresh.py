"""`escriba prices refresh` against RunPod, EC2 and Google on loopback."""

import json
import threading
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from pipelines.billing.prices import read_price_book
from pipelines.cli.prices import command
from pipelines.settings import HOUSE, SettingsError, load_settings
from resources.prices.aws import spot_offers
from tests.fake_runpod import FakeRunPod

KEY = "rpa_SECRETSECRETSECRET"
SHIPPED = HOUSE / "dbt_costs" / "seeds" / "price_book.csv"


def sku(description, usd, region="us-central1"):
    units, _, nanos = usd.partition(".")
    rate = {"units": units, "nanos": int(nanos.ljust(9, "0"))}
    free = {"startUsageAmount": 0, "unitPrice": {"units": "0", "nanos": 0}}
    rates = [free, {"startUsageAmount": 1, "unitPrice": rate}]
    return {
        "description": description,
        "serviceRegions": [region],
        "pricingInfo": [{"pricingExpression": {"usageUnit": "h", "tieredRates": rates}}],
    }


SKUS = [
    sku("Nvidia Tesla T4 GPU attached to Spot Preemptible VMs running in Americas", "0.14"),
    sku("Nvidia Tesla T4 GPU running in Americas", "0.35"),
    sku("Spot Preemptible N1 Predefined Instance Core running in Belgium", "9", "europe-west1"),
    sku("Spot Preemptible N1 Predefined Instance Core running in Americas", "0.006655"),
    sku("Spot Preemptible N1 Predefined Instance Ram running in Americas", "0.000892"),
]


class FakeBilling(BaseHTTPRequestHandler):
    """Two SKUs a page; wants the key in a header, where no log of addresses has it."""

    def do_GET(self):
        parts = urlsplit(self.path)
        begin = int(parse_qs(parts.query).get("pageToken", ["0"])[0])
        allowed = self.headers["X-Goog-Api-Key"] == "goog"
        more = {"nextPageToken": str(begin + 2)} if begin + 2 < len(SKUS) else {}
        body = json.dumps({"skus": SKUS[begin : begin + 2]} | more if allowed else {}).encode()
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def google():
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeBilling)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def runpod():
    with FakeRunPod(KEY) as fake:
        yield fake


@pytest.fixture
def environment(monkeypatch, tmp_path, runpod, google, s3_server):
    """Everybody can be asked, and the price book is one's own."""
    book = tmp_path / "prices.csv"
    book.write_bytes(SHIPPED.read_bytes())
    values = {
        "PRICE_BOOK": str(book),
        "RUNPOD_API_KEY": KEY,
        "RUNPOD_CONTROL_URL": f"{runpod.url}/control",
        "AWS_EC2_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GOOGLE_API_KEY": "goog",
        "GCP_BILLING_URL": google,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return book


def refresh(*words):
    done = CliRunner().invoke(command, ["refresh", *words, "--json"])
    if done.exception:
        raise done.exception
    return {one["price"]: one for one in json.loads(done.stdout)["changes"]}


def test_each_provider_is_asked_and_the_book_is_left_as_it_is(environment, runpod):
    before = environment.read_bytes()

    found = refresh()

    assert found["runpod/rtx4090"]["now_usd"] == "0.000305556"
    assert found["runpod/rtx4090"]["state"] == "rounding"
    assert Decimal(found["gcp_gpu/n1-standard-4-t4"]["now_usd"]) == Decimal("0.18")
    assert Decimal(found["aws_gpu/g5.xlarge"]["now_usd"]) == Decimal("0.00001")
    assert environment.read_bytes() == before


def test_applied_each_price_that_differs_ends_and_the_new_one_begins_tomorrow(environment, runpod):
    runpod.control.prices["NVIDIA L4"] = {"serverless": 0.9}

    found = refresh("--apply")
    again = refresh()

    assert found["runpod/l4"]["state"] == "changed"
    assert {one["state"] for one in again.values()} <= {"same", "rounding"}
    book = read_price_book(environment)
    today = datetime.now(UTC)
    assert book.at("runpod", "l4", today).price_usd == Decimal("0.00019")
    since = datetime.fromisoformat(found["runpod/l4"]["valid_from"]).replace(tzinfo=UTC)
    assert book.at("runpod", "l4", since).price_usd == Decimal("0.00025")


def test_the_shipped_price_book_is_never_changed(environment, monkeypatch):
    monkeypatch.delenv("PRICE_BOOK")

    with pytest.raises(SettingsError, match=r"set PRICE_BOOK=prices\.csv"):
        refresh("--apply")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RUNPOD_API_KEY", "", "RUNPOD_API_KEY is empty"),
        ("RUNPOD_API_KEY", "rpa_WRONG", "set RUNPOD_API_KEY"),
        ("GOOGLE_API_KEY", "", "GOOGLE_API_KEY is empty"),
        ("GOOGLE_API_KEY", "wrong-key", "needs the Cloud Billing API"),
        ("GCP_REGION", "mars-1", "GCP_REGION=mars-1"),
    ],
)
def test_who_does_not_answer_is_named_and_the_others_are_told(
    environment, monkeypatch, name, value, says
):
    monkeypatch.setenv(name, value)

    done = CliRunner().invoke(command, ["refresh", "--json"])

    assert done.exit_code == 0
    assert says in done.stderr
    assert not value or "KEY" not in name or value not in done.stderr
    assert len(json.loads(done.stdout)["changes"]) >= 1


def test_a_book_without_aws_asks_nobody():
    settings = load_settings(aws_ec2_url="http://127.0.0.1:9")
    book = read_price_book(SHIPPED)
    without = type(book)(tuple(p for p in book.prices if p.backend != "aws_gpu"))

    assert spot_offers(settings, without, datetime.now(UTC)) == []
