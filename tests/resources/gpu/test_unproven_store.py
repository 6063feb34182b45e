"""In a store that may create an object twice, no paid backend gets a job; unpaid ones still do."""

import asyncio

import pytest

from escriba.billing.quotes import Health
from escriba.errors import BackendUnavailableError

REASON = "a job may be paid for twice in this store"


def choose(world, *backends):
    fleet = world.engine(*backends).fleet

    async def store_health():
        return Health("down", REASON, lasting=True)

    fleet.store_health = store_health
    return asyncio.run(fleet.choose(world.order(), 3_600)).route


def test_a_paid_backend_is_refused_at_once_with_the_reason(world):
    with pytest.raises(BackendUnavailableError, match=REASON):
        choose(world, world.backend())


def test_one_that_costs_nothing_gets_the_job_and_the_route_says_why(world):
    route = choose(world, world.backend(), world.backend(sku="rtx4090", paid=False))

    assert route.sku == "rtx4090"
    assert [REASON in one.excluded for one in route.considered] == [False, True]


def test_without_paid_backends_the_store_is_not_asked(world):
    fleet = world.engine(world.backend(paid=False)).fleet
    fleet.store_health = None.__getattribute__  # a call would fail

    assert asyncio.run(fleet.choose(world.order(), 3_600)).route.backend == "runpod"
