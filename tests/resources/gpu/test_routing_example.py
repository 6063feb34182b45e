"""The decision that docs/routing.md shows is the router's own, on backends that exist."""

import asyncio
import dataclasses
import json
import random
import re
from datetime import UTC, datetime
from decimal import Decimal

from escriba.backend_names import BACKENDS
from escriba.billing.measured_speeds import MeasuredSpeed
from escriba.billing.permissions import Permission
from escriba.billing.permissions import SpendLimits as Money
from escriba.billing.quotes import JobSize
from escriba.settings import HOUSE, load_settings
from resources.gpu import fleet as fleets
from resources.gpu.fleet import Fleet
from resources.gpu.model_choice import model_of
from resources.gpu.registry import open_backends
from resources.price_book import open_price_book
from resources.spending.budget_gate import Budget
from resources.spending.reservations import Reservation
from tests.fake_runpod import FakeRunPod

PAGE = HOUSE / "docs" / "routing.md"
HEADING = "## Example of a decision"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)  # a quote is cut, and rounded, at midnight
SPENT = Decimal("49.40")  # of DAILY_COST_THRESHOLD=50


def decision(world):
    """Three hours with diarization, while one endpoint answers 503 and little budget is left."""
    with FakeRunPod("key") as runpod:
        settings = load_settings(
            **runpod.settings,
            runpod_endpoints="a6000=another",
            primary_backend="runpod",
            local_fallback=True,
        )
        return asyncio.run(_decision(world, settings))


async def _decision(world, settings):
    prices = open_price_book(settings)
    budget = Budget(world.storage, Money(day_usd=settings.daily_cost_threshold), prices=prices)
    await budget.reserve(Reservation("acme", "0" * 64, 1, "abcdef", SPENT), Permission())
    model = model_of(settings)
    fleet = Fleet(
        open_backends(settings),
        prices,
        budget,
        primary=settings.primary_backend,
        speeds=lambda: {("runpod", "l4", model, True): MeasuredSpeed(0.0311, 36.0, 57)},
        clock=lambda: 1_000.0,
        dice=random.Random(1),
    )
    for _ in range(3):
        fleet.of("runpod", "l4").submissions.failed("HTTP 503", lasting=False)
    size = JobSize(10_800_000, 9_000_000, 180_000_000, model, "pt", diarized=True)
    order = dataclasses.replace(world.order(), size=size)
    try:
        return (await fleet.choose(order, settings.job_timeout_seconds)).route
    finally:
        await fleet.close()


def shown():
    section = PAGE.read_text().partition(HEADING)[2]
    return json.loads(re.search(r"```json\n(.*?)```", section, re.DOTALL)[1])


def test_the_example_in_the_docs_is_what_the_router_says(world, monkeypatch):
    monkeypatch.setattr(fleets, "now", lambda: NOON)

    made = json.loads(decision(world).model_dump_json())

    assert shown() == made, f"Write this into {PAGE}:\n{json.dumps(made, indent=1)}"


def test_the_example_names_backends_that_exist_and_three_causes():
    found = shown()

    assert {one["backend"] for one in found["considered"]} <= {*BACKENDS}
    assert {one["blocked_by"] for one in found["considered"]} == {"", "health", "budget"}
