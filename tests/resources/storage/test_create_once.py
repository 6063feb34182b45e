"""Whether two clients can create one object: what doctor says, and who may work with the store."""

import pytest

from cli.checks.bucket_check import bucket
from escriba.billing.quotes import Health
from resources.gpu.proven_store import ProvenStore
from resources.storage import open_storage
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
    health = ProvenStore(storage, accept=False).health()

    assert all(told in one.found and "paid for twice" in one.advice for one in found)
    assert found
    assert (health.state, health.lasting) == ("down", True)
    assert told in health.reason
    assert "UNPROVEN_STORE=accept" in health.reason
    assert not [key for key in odd_store.objects if ".doctor" in key]


def test_somebody_may_take_the_risk(odd_store):
    odd_store.oddities.creates = "ignores"
    settings = odd_store.settings(unproven_store="accept")

    health = ProvenStore(open_storage(settings), accept=True).health()
    states = {one.state for one in bucket(settings)}

    assert health == Health("well")
    assert states == {"well", "odd"}


def test_the_proof_is_remembered_but_not_a_store_that_was_away(odd_store):
    store = ProvenStore(open_storage(odd_store.settings()), accept=False)
    odd_store.oddities.answer = (403, "<Code>AccessDenied</Code><Message>no</Message>", {})
    away = store.health()
    odd_store.oddities.answer = None
    back = store.health()
    asked = len(odd_store.requests)

    assert (away.state, away.lasting) == ("down", False)
    assert "AccessDenied" in away.reason
    assert back == store.health() == Health("well")
    assert len(odd_store.requests) == asked
