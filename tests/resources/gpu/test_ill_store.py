"""A store that fails for a while, under an attempt that is paid for."""

import pytest

from resources.gpu.follow_attempts import PATIENCE_SECONDS
from resources.storage.base import StorageError


@pytest.fixture
def ill(world, monkeypatch):
    """Lets every look at the bucket fail from one second of the clock to another."""

    def between(first, last):
        begun, head = world.clock(), world.storage.head

        def look(key):
            if first <= world.clock() - begun < last:
                raise StorageError(f"{key!r} cannot be looked at: timed out")
            return head(key)

        monkeypatch.setattr(world.storage, "head", look)

    return between


@pytest.fixture
def works_until(world):
    """A worker that takes so long, and beats until a second of the clock."""

    def script(seconds, beats_until=None):
        begun = world.clock()

        def works(worker):
            worker.takes()
            while (at := world.clock() - begun) < seconds:
                if at < (beats_until or seconds):
                    worker.beat()
                yield
            worker.write_result()
            worker.beat("done")

        return works

    return script


def test_an_attempt_under_way_outlasts_eight_minutes_without_its_store(world, ill, works_until):
    backend = world.backend(works_until(600), paid=False)  # its time is not limited
    ill(60, 540)

    finished = world.run(backend, world.order())

    assert finished.result.attempt == 1
    assert not backend.workers[0].cancelled
    assert [row[1] for row in world.rows()] == ["done"]


def test_looks_that_failed_are_no_evidence_of_a_silent_worker(world, ill, works_until):
    backend = world.backend(works_until(700, beats_until=60))
    ill(90, 550)

    assert world.run(backend, world.order()).result.attempt == 1


def test_a_worker_that_is_silent_in_looks_that_succeeded_is_lost_all_the_same(
    world, ill, works_until
):
    backend = world.backend(works_until(2_000, beats_until=60))
    ill(90, 550)

    assert world.run(backend, world.order()).result.attempt == 2


def test_a_store_that_stays_away_ends_the_run_after_half_an_hour(world, ill, works_until):
    backend, since = world.backend(works_until(100_000)), world.clock()
    ill(60, 1e9)

    with pytest.raises(StorageError, match="timed out"):
        world.run(backend, world.order())

    assert PATIENCE_SECONDS < world.clock() - since < PATIENCE_SECONDS + 200


def test_how_a_job_ended_is_not_forgotten_with_a_look_that_failed(world, ill, scripts):
    """Some backends say it once."""
    backend = world.backend(scripts.is_never_begun)
    poll, told = backend.poll, []

    async def once(submission, wait_seconds):
        report = await poll(submission, wait_seconds)
        if report is None or submission.provider_id in told:
            world.clock.now += wait_seconds
            return None
        told.append(submission.provider_id)
        return report

    backend.poll = once
    ill(0, 30)
    since = world.clock()

    world.run(backend, world.order())

    assert world.clock() - since < 100


def test_a_claim_that_is_damaged_is_told_of_at_once(world):
    order = world.order()

    def is_overwritten(worker):
        worker.takes()
        yield
        world.storage.write(order.folder.key("claim-1.json"), b"{")
        yield

    since = world.clock()
    with pytest.raises(StorageError, match=r"claim-1\.json.* Run again in a minute"):
        world.run(world.backend(is_overwritten), order)

    assert world.clock() - since < 60
