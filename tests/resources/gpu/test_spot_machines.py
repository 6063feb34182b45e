"""What a job on a spot machine cost, as the engine records it when the attempt ends."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from escriba.billing.price_book import Price, PriceBook
from gpu_job.contract import CloudMachine, JobError
from resources.ledger.queries import open_ledger
from tests.resources.gpu.conftest import NOON

MACHINE = CloudMachine(id="i-1", type="g5.xlarge", zone="us-east-1a", is_spot=True, started_at=NOON)
SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
BOOK = PriceBook(
    tuple(
        Price(backend, sku, "machine_hour", Decimal("0.47"), SINCE, UNTIL, "test")
        for backend, sku in (("aws_gpu", "g5.xlarge"), ("gcp_gpu", "g2-standard-4"))
    )
)


def reclaimed(worker):
    """Its spot machine gives notice."""
    worker.boot, worker.machine = "b1", MACHINE
    if worker.takes():
        yield
        error = JobError(code="cancelled", permanent=False, message="", reason="preempted")
        worker.beat("stopped", error)


def on_machine(scripts):
    def run(worker):
        worker.boot, worker.machine = "b1", MACHINE
        yield from scripts.succeeds(worker)

    return run


@pytest.fixture
def ran(world):
    """Runs a job on a backend of these scripts; the rows of its attempts, and what was asked."""

    def run(*scripts, name="aws_gpu", sku="g5.xlarge"):
        asked = []
        engine = world.engine(world.backend(*scripts, name=name, sku=sku), prices=BOOK)
        engine.fleet.spot_price = lambda *of: asked.append(of) or Decimal("0.36")
        asyncio.run(engine.run(world.order()))
        with open_ledger(world.storage) as ledger:
            rows = ledger.execute(
                "SELECT run_seconds, spot_usd_per_hour, cost_usd FROM attempts ORDER BY attempt"
            ).fetchall()
            lives = ledger.execute("SELECT session_id, jobs, zone FROM instances").fetchall()
        return rows, lives, asked

    return run


def test_an_attempt_on_a_spot_machine_has_the_price_of_its_zone(ran, scripts):
    rows, lives, asked = ran(on_machine(scripts))

    [(seconds, spot, cost)] = rows
    assert spot == Decimal("0.36")
    assert cost == Decimal(int(seconds)) * Decimal("0.0001")
    assert lives == [("aws_gpu:i-1", 1, "us-east-1a")]
    assert {machine for machine, *_ in asked} == {MACHINE}


def test_attempts_that_follow_one_another_on_a_machine_are_in_one_life(ran, scripts):
    """The same process here: the second attempt has the machine's rows of the first."""
    rows, lives, _ = ran(reclaimed, on_machine(scripts))

    assert len(rows) == 2
    assert [life for life, *_ in lives] == ["aws_gpu:i-1"]


def test_the_prices_of_google_are_those_of_the_book(ran, scripts):
    rows, _, asked = ran(on_machine(scripts), name="gcp_gpu", sku="g2-standard-4")

    assert rows[0][1] is None
    assert asked == []
