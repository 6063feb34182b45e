"""Whether two clients can create one object: what doctor says, and who may work with the store."""

import asyncio

import pytest

from cli.checks.bucket_check import bucket
from escriba.billing.quotes import Health
from resources.gpu.proven_store import ProvenStore
from resources.storage import open_storage
from resources.storage.create_once import prove_create_once
from tests.resources.storage.faulty_s3 import faulty_s3


@pytest.fixture
def odd_store():
    with faulty_s3() as store:
        yield store


@pytest.mark.parametrize(
    ("creates", "told"),
    [
        ("ignores", "the condition is ignored"),
        ("racy", "the check is not atomic"),
        ("refuses", "no conditional writes (the store said NotImplemented: A header"),
    ],
)
def test_a_store_that_creates_twice_is_told_of_and_gets_no_paid_job(odd_store, creates, told):
    odd_store.oddities.creates = creates
    storage = open_storage(odd_store.settings())

    found = [one for one in bucket(odd_store.settings()) if one.state == "broken"]
    health = asyncio.run(ProvenStore(storage, accept=False).health())

    assert all(told in one.found and "paid for twice" in one.advice for one in found)
    assert found
    assert (health.state, health.lasting) == ("down", True)
    assert told in health.reason
    assert "UNPROVEN_STORE=accept" in health.reason
    assert not [key for key in odd_store.objects if ".doctor" in key]


def test_somebody_may_take_the_risk(odd_store):
    odd_store.oddities.creates = "ignores"
    settings = odd_store.settings(unproven_store="accept")

    health = asyncio.run(ProvenStore(open_storage(settings), accept=True).health())
    states = {one.state for one in bucket(settings)}

    assert health == Health("well")
    assert states == {"well", "odd"}


def test_the_proof_is_remembered_and_a_store_that_was_away_is_asked_again_after_a_minute(odd_store):
    now = [0.0]
    store = ProvenStore(open_storage(odd_store.settings()), accept=False, clock=lambda: now[0])

    async def ask(jobs=100):
        healths = await asyncio.gather(*(store.health() for _ in range(jobs)))
        assert healths == healths[:1] * jobs
        return healths[0], len(odd_store.requests)

    odd_store.oddities.answer = (403, "<Code>AccessDenied</Code><Message>no</Message>", {})
    away, asked_while_away = asyncio.run(ask())
    odd_store.oddities.answer = None
    now[0] = 59.0
    remembered = asyncio.run(ask(1))
    now[0] = 60.0
    back, asked = asyncio.run(ask(1))
    now[0] = 1e9

    assert (away.state, away.lasting) == ("down", False)
    assert "AccessDenied" in away.reason
    assert asked_while_away < 10  # one probe for all jobs
    assert remembered == (away, asked_while_away)
    assert back == Health("well")
    assert asyncio.run(ask(1)) == (back, asked)


def test_a_busy_store_is_asked_again_and_a_creation_with_a_lost_answer_is_no_fault(odd_store):
    odd_store.oddities.busy, odd_store.oddities.busy_status = 6, 429
    pauses = []
    ways = prove_create_once(open_storage(odd_store.settings()), 1, pauses.append)

    odd_store.oddities.lost_answers = 1_000
    lost = prove_create_once(open_storage(odd_store.settings()), 1, pauses.append)

    assert [way.fault for way in ways + lost] == [""] * 4
    assert pauses
