"""The judgement on an attempt, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from gpu_job.contract import Lease, Usage
from gpu_job.contract.process_identity import here
from resources.gpu.idempotency import Observation, Verdict, Watch, counted_attempts, judge


@pytest.fixture
def attempt(world):
    return world.attempt(world.order())


WAIT_UNCLAIMED = Verdict("wait", "no worker has started it yet")
WAIT_RUNNING = Verdict("wait", "a worker is running it")


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ({"submitted": True}, WAIT_UNCLAIMED),
        (
            {"submitted": True, "provider_is_final": True},
            Verdict("abandon", "the backend reports that it ended"),
        ),
        (
            {"submitted": False, "provider_is_final": True},
            Verdict("abandon", "the backend reports that it ended"),
        ),
        (
            {"submitted": False, "creator_is_dead": True},
            Verdict("abandon", "its creator died before submitting it"),
        ),
        # who has submitted an attempt may die: the backend has it
        ({"submitted": True, "creator_is_dead": True, "watched_seconds": 61}, WAIT_UNCLAIMED),
        ({"submitted": False, "watched_seconds": 60}, WAIT_UNCLAIMED),
        (
            {"submitted": False, "watched_seconds": 60.1},
            Verdict("abandon", "not submitted within 60 s"),
        ),
        ({"submitted": True, "watched_seconds": 3600}, WAIT_UNCLAIMED),
        (
            {"submitted": True, "watched_seconds": 3600.1},
            Verdict("abandon", "its queue limit has passed", error_type="queue_limit"),
        ),
        # a missing lease has no owner
        ({"submitted": True, "owner_is_dead": True, "unchanged_seconds": 999}, WAIT_UNCLAIMED),
    ],
)
def test_an_attempt_that_nobody_has_claimed(attempt, seen, verdict):
    assert judge(Observation(attempt, None, **seen)) == verdict


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ({}, WAIT_RUNNING),
        ({"unchanged_seconds": 300}, WAIT_RUNNING),
        ({"unchanged_seconds": 300.1}, Verdict("close", "no heartbeat for 300 s", "lost")),
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
    lease = Lease(nonce="n", state="running")

    assert judge(Observation(attempt, lease, **({"submitted": True} | seen))) == verdict


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("buried", Verdict("close", "abandoned before a worker started it", "buried")),
        ("failed", Verdict("close", "the worker reported a failure", "failed")),
        ("stopped", Verdict("close", "the worker stopped cleanly", "stopped")),
        ("done", Verdict("close", "the worker reported done, but the result is missing", "lost")),
    ],
)
@pytest.mark.parametrize("provider_is_final", [True, False])
def test_an_attempt_that_is_over(attempt, state, verdict, provider_is_final):
    lease = Lease(nonce="n", state=state)

    observation = Observation(attempt, lease, submitted=True, provider_is_final=provider_is_final)

    assert judge(observation) == verdict


def test_only_attempts_that_a_worker_began_are_computations(world, scripts):
    backend = world.backend(scripts.is_never_begun, scripts.fails, scripts.dies, scripts.succeeds)
    world.run(backend, world.order())

    attempts = world.order().folder.attempts()

    assert [attempt.end.status for attempt in attempts] == ["buried", "failed", "lost", "done"]
    assert [counted_attempts(attempts[:n]) for n in range(5)] == [0, 0, 1, 2, 3]


def test_when_a_worker_died_is_known_by_its_own_clock_and_by_ours_that_nobody_sets():
    """It told of 90 s of run in a heartbeat that is 20 s old; the time here does not matter."""
    began = datetime(2026, 3, 10, 12, tzinfo=UTC)
    usage = Usage(
        worker="w", place=here(), started_at=began, ended_at=began + timedelta(seconds=90)
    )
    lease, seconds = Lease(nonce="n", state="running", usage=usage), [1_000.0]
    watch = Watch(lambda: seconds[0])
    assert watch.died_at(None, "") is None

    seconds[0] += 300
    watch.read_succeeded()
    watch.update(lease, "tag")
    seconds[0] += 20
    assert watch.died_at(lease, "tag") == began + timedelta(seconds=110)
    watch.read_succeeded()
    seconds[0] += 5

    assert watch.died_at(lease, "tag") == began + timedelta(seconds=115)
    # one that came after the last look, which is 5 s old
    assert watch.died_at(lease, "another") == began + timedelta(seconds=95)
