"""`escriba prices refresh` against RunPod, EC2 and Google on loopback."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from cli.commands.prices import command
from escriba.billing.price_book import read_price_book
from escriba.errors import BackendUnavailableError
from escriba.settings import HOUSE, SettingsError, load_settings
from resources.prices.aws import spot_offers
from tests.fake_catalogues import FakeBilling, FakeRefusal, serving
from tests.fake_runpod import FakeRunPod

KEY = "rpa_SECRETSECRETSECRET"
SHIPPED = HOUSE / "dbt_costs" / "seeds" / "price_book.csv"


@pytest.fixture
def google():
    with serving(FakeBilling) as url:
        yield url


@pytest.fixture
def refusing():
    with serving(FakeRefusal) as url:
        yield url


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


def refresh_of_people(cwd, *words):
    """As typed, with what the environment says."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "prices", "refresh", *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_provider_is_asked_and_the_book_is_left_as_it_is(environment, runpod):
    before = environment.read_bytes()

    found = refresh()

    assert found["runpod/rtx4090"]["now_usd"] == "0.000305556"
    assert found["runpod/rtx4090"]["state"] == "rounding"
    assert Decimal(found["gcp_gpu/n1-standard-4-t4"]["now_usd"]) == Decimal("0.18")
    assert Decimal(found["gcp_gpu/g2-standard-4"]["now_usd"]) == Decimal("0.361216")
    assert Decimal(found["gcp_gpu/g2-standard-8-on-demand"]["now_usd"]) == Decimal("0.85372")
    assert Decimal(found["aws_gpu/g5.xlarge"]["now_usd"]) == Decimal("0.00001")
    assert environment.read_bytes() == before


def test_runpods_catalogue_prices_the_small_and_the_largest_gpus_too(environment, runpod):
    hourly = {
        "NVIDIA RTX A4000": 0.576,
        "NVIDIA RTX A4500": 0.58,
        "NVIDIA RTX PRO 6000 Blackwell Server Edition": 4.0,
        "NVIDIA RTX PRO 6000 Blackwell Workstation Edition": 4.2,
        "NVIDIA H200": 5.58,
        "NVIDIA B200": 9.0,
    }
    runpod.control.prices |= {name: {"serverless": usd} for name, usd in hourly.items()}

    found = refresh()

    assert found["runpod/a4000"]["state"] == "same"
    assert found["runpod/a4500"]["now_usd"] == "0.000161111"
    assert found["runpod/rtxpro6000"]["now_usd"] == "0.001166667"  # the higher of its two types
    assert found["runpod/h200"]["state"] == "same"
    assert found["runpod/b200"]["now_usd"] == "0.002500000"


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
        ("RUNPOD_API_KEY", "", "prices are skipped: set RUNPOD_API_KEY"),
        ("RUNPOD_API_KEY", "rpa_WRONG", "Set RUNPOD_API_KEY"),
        ("GOOGLE_API_KEY", "", "prices are skipped: set GOOGLE_API_KEY"),
        ("GOOGLE_API_KEY", "wrong-key", "Enable the Cloud Billing API"),
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


@pytest.fixture
def nobody(environment, monkeypatch, tmp_path):
    """No key anywhere, not in AWS's own chain either."""
    for name in ("RUNPOD_API_KEY", "GOOGLE_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return environment


def test_nobody_to_ask_is_told_with_what_to_set(nobody):
    done = CliRunner().invoke(command, ["refresh"])

    assert isinstance(done.exception, BackendUnavailableError)  # exit status 2, as `main` has it
    for name in ("RUNPOD_API_KEY", "AWS_ACCESS_KEY_ID", "GOOGLE_API_KEY"):
        assert name in str(done.exception)
        assert name in done.stderr
    assert "AWS prices are skipped: credentials are missing" in done.stderr
    assert done.stdout == ""


def test_the_command_ends_with_2_where_nobody_can_be_asked(nobody, tmp_path):
    done = refresh_of_people(tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "escriba: No provider returned a price that is in the price book. RunPod needs"
        in done.stderr
    )


def test_a_network_that_fails_is_not_told_as_credentials(environment, monkeypatch):
    nowhere = "http://127.0.0.1:9"
    for name in ("AWS_EC2_URL", "GCP_BILLING_URL"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    done = CliRunner().invoke(command, ["refresh", "--json"])

    assert done.exit_code == 0  # RunPod told its own
    assert f"EC2 does not answer at {nowhere} (EndpointConnectionError)" in done.stderr
    assert "Google's catalog does not answer (ConnectError). Check the network" in done.stderr
    assert "credentials" not in done.stderr
    assert "KEY" not in done.stderr


def test_credentials_that_aws_refuses_are_told_as_such(environment, monkeypatch, refusing):
    monkeypatch.setenv("AWS_EC2_URL", refusing)

    done = CliRunner().invoke(command, ["refresh", "--json"])

    assert (
        "EC2 refuses to list its spot prices (AuthFailure). The credentials must be" in done.stderr
    )


def test_a_book_whose_name_has_brackets_is_named_as_it_is(
    environment, monkeypatch, tmp_path, runpod
):
    runpod.control.prices["NVIDIA L4"] = {"serverless": 0.9}
    book = environment.rename(tmp_path / "[bold]prices.csv")
    monkeypatch.setenv("PRICE_BOOK", str(book))

    done = refresh_of_people(tmp_path, "--apply")

    assert done.returncode == 0
    assert "[bold]prices.csv, valid from" in done.stdout.replace("\n", "")
