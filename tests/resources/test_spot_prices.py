"""The spot price of a job's machine, from an EC2 on loopback."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.settings import load_settings
from gpu_job.contract import CloudMachine
from resources.ec2_client import ec2_client
from resources.spot_prices import SpotPrices
from tests.fake_catalogues import FakeRefusal, FakeSpotHistory, serving

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MACHINE = CloudMachine(id="i-1", type="g5.xlarge", zone="us-east-1a", is_spot=True)


class Prices:
    """Spot prices of an EC2, the requests that they made, and a clock that a test moves."""

    def __init__(self, url):
        self.now, self.asked = 1_000.0, 0
        settings = load_settings(
            aws_ec2_url=url,
            aws_region="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        self._of = SpotPrices(settings, lambda: self.now, self._connect)

    def _connect(self, settings):
        client = ec2_client(settings)
        client.meta.events.register("before-send.ec2", self._count)
        return client

    def _count(self, **_):
        self.asked += 1

    def usd(self, since, until, **machine):
        machine = MACHINE.model_copy(update=machine)
        return self._of(machine, NOON + timedelta(hours=since), NOON + timedelta(hours=until))


@pytest.fixture
def prices():
    with serving(FakeSpotHistory) as url:
        yield Prices(url)


def test_a_run_has_the_mean_price_of_its_zone_while_it_ran(prices):
    """0.30 until 13:00, then 0.40."""
    assert prices.usd(0, 1) == Decimal("0.30")
    assert prices.usd(0.5, 1.5) == Decimal("0.35")
    assert prices.usd(2, 3) == Decimal("0.40")
    assert prices.usd(0, 1, zone="us-east-1b") == Decimal("0.50")


def test_a_night_of_jobs_makes_a_request_for_a_zone_in_five_minutes(prices):
    for job in range(100):
        prices.usd(job / 100, 1 + job / 100)
    assert prices.asked == 1

    prices.now += 301
    prices.usd(1, 2)
    assert prices.asked == 2

    prices.usd(-30, -29)  # earlier than what is known
    assert prices.asked == 3


@pytest.mark.parametrize(
    "machine", [{"is_spot": False}, {"is_spot": None}, {"zone": "eu-west-1a"}, {"zone": ""}]
)
def test_nobody_is_asked_about_other_machines_or_another_region(prices, machine):
    assert prices.usd(0, 1, **machine) is None
    assert prices.asked == 0


def test_a_zone_without_a_history_has_no_price(prices):
    assert prices.usd(0, 1, zone="us-east-1f") is None


def test_an_ec2_that_refuses_is_told_of_and_asked_again_after_ten_minutes(caplog):
    with serving(FakeRefusal) as url:
        prices = Prices(url)

        assert [prices.usd(0, 1), prices.usd(0, 1)] == [None, None]
        assert prices.asked == 1
        prices.now += 601
        assert prices.usd(0, 1) is None
        assert prices.asked == 2

    assert "ec2:DescribeSpotPriceHistory" in caplog.text
    assert "secret" not in caplog.text
