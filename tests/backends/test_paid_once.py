"""The judgement on an attempt, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from gpu_job.contract import Claim, Usage
from gpu_job.place import here
from resources.gpu.paid_once import Sight, Verdict, Watch, computations, judge


@pytest.fixture
def attempt(world):
    return world.attempt(world.order())


WAIT_UNCLAIMED = Verdict("wait", "no worker has taken it yet")
WAIT_RUNNING = Verdict("wait", "a worker has it")


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ({"submitted": True}, WAIT_UNCLAIMED),
        (
            {"submitted": True, "provider_is_final": True},
            Verdict("bury", "its backend says that it is over"),
        ),
        (
            {"submitted": False, "provider_is_final": True},
            Verdict("bury", "its backend says that it is over"),
        ),
        (
            {"submitted": False, "creator_is_dead": True},
            Verdict("bury", "its creator died before it was submitted"),
        ),
        # who has submitted an attempt may die: the backend has it
        ({"submitted": True, "creator_is_dead": True, "watched_seconds": 61}, WAIT_UNCLAIMED),
        ({"submitted": False, "watched_seconds": 60}, WAIT_UNCLAIMED),
        (
            {"submitted": False, "watched_seconds": 60.1},
            Verdict("bury", "not submitted within 60 s"),
        ),
        ({"submitted": True, "watched_seconds": 3600}, WAIT_UNCLAIMED),
        (
            {"submitted": True, "watched_seconds": 3600.1},
            Verdict("bury", "its time in the queue is over"),
        ),
        # nobody has a claim that is not there
        ({"submitted": True, "owner_is_dead": True, "unchanged_seconds": 999}, WAIT_UNCLAIMED),
    ],
)
def test_an_attempt_that_nobody_has_claimed(attempt, seen, verdict):
    assert judge(Sight(attempt, None, **seen)) == verdict


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ({}, WAIT_RUNNING),
        ({"unchanged_seconds": 300}, WAIT_RUNNING),
        ({"unchanged_seconds": 300.1}, Verdict("close", "no beat for 300 s", "lost")),
        ({"owner_is_dead": True}, Verdict("close", "its worker died", "lost")),
        # who killed both says nothing about the job
        (
            {"owner_is_dead": True, "creator_is_dead": True},
            Verdict("close", "its run was killed", "lost", "interrupted"),
        ),
        # a provider's word alone ends nothing, nor does a long run or a dead orchestrator
        ({"provider_is_final": True}, WAIT_RUNNING),
        ({"watched_seconds": 100_000}, WAIT_RUNNING),
        ({"creator_is_dead": True}, WAIT_RUNNING),
        ({"submitted": False, "watched_seconds": 61}, WAIT_RUNNING),
    ],
)
def test_an_attempt_that_a_worker_has_claimed(attempt, seen, verdict):
    claim = Claim(nonce="n", state="running")

    assert judge(Sight(attempt, claim, **({"submitted": True} | seen))) == verdict


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("buried", Verdict("close", "buried before a worker took it", "buried")),
        ("failed", Verdict("close", "the worker said that it failed", "failed")),
        ("stopped", Verdict("close", "the worker stopped in good order", "stopped")),
        ("done", Verdict("close", "done, yet its result is missing", "lost")),
    ],
)
@pytest.mark.parametrize("provider_is_final", [True, False])
def test_an_attempt_that_is_over(attempt, state, verdict, provider_is_final):
    claim = Claim(nonce="n", state=state)

    sight = Sight(attempt, claim, submitted=True, provider_is_final=provider_is_final)

    assert judge(sight) == verdict


def test_only_attempts_that_a_worker_began_are_computations(world, scripts):
    backend = world.backend(scripts.is_never_begun, scripts.fails, scripts.dies, scripts.succeeds)
    world.run(backend, world.order())

    attempts = world.order().folder.attempts()

    assert [attempt.end.status for attempt in attempts] == ["buried", "failed", "lost", "done"]
    assert [computations(attempts[:n]) for n in range(5)] == [0, 0, 1, 2, 3]


def test_when_a_worker_died_is_known_by_its_own_clock_and_by_ours_that_nobody_sets():
    """It told of 90 s of run in a beat that is 20 s old; what time it is here does not matter."""
    began = datetime(2026, 3, 10, 12, tzinfo=UTC)
    usage = Usage(
        worker="w", place=here(), started_at=began, ended_at=began + timedelta(seconds=90)
    )
    claim, seconds = Claim(nonce="n", state="running", usage=usage), [1_000.0]
    watch = Watch(lambda: seconds[0])
    assert watch.died_at(None, "") is None

    seconds[0] += 300
    watch.looked()
    watch.see(claim, "tag")
    seconds[0] += 20
    assert watch.died_at(claim, "tag") == began + timedelta(seconds=110)
    watch.looked()
    seconds[0] += 5

    assert watch.died_at(claim, "tag") == began + timedelta(seconds=115)
    # one that came after the last look, which is 5 s old
    assert watch.died_at(claim, "another") == began + timedelta(seconds=95)
