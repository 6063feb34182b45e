"""An engine that is killed before or after any of its writes and reads: another one goes on.

From its death on, nothing of the killed process reaches the bucket, whatever it tries to tidy up.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from resources.gpu import job_orders
from resources.gpu.reconcile import Reconciler
from resources.spending.reservations import Spending

STEPS = ("head", "read", "write", "create", "delete", "list")


class KilledError(BaseException):
    """Of a process that is dead from now on."""


class Mortal:
    """A store that dies before or after its n-th step; 0: it lives, and counts."""

    def __init__(self, store, dies_at=0, *, after=False):
        self.store, self.dies_at, self.after = store, dies_at, after
        self.steps, self.dead = 0, False

    def __getattr__(self, name):
        method = getattr(self.store, name)
        return self._step(method) if name in STEPS else method

    def _step(self, method):
        def step(*arguments, **named):
            self.steps += 1
            reached = self.steps == self.dies_at
            if self.dead or (reached and not self.after):
                self.dead = True
                raise KilledError
            answer = method(*arguments, **named)
            if reached:
                self.dead = True
                raise KilledError
            return answer

        return step


@pytest.fixture
def die(world, dead, monkeypatch):
    """Runs an order on a store that dies, by a creator that is dead when another looks."""

    def run(backend, dies_at, *, after):
        mortal = Mortal(world.storage, dies_at, after=after)
        order = world.order()
        with monkeypatch.context() as patch:
            patch.setattr(job_orders, "here", lambda: dead)
            engine = world.engine(backend)
            engine.fleet.budget._spending._storage = mortal
            engine.closing._ledger._storage = mortal
            object.__setattr__(order.folder, "storage", mortal)
            asyncio.run(_until_death(engine.run(order), mortal))
        return mortal

    return run


async def _until_death(work, mortal):
    """No task of a dead process goes on, nor does it wait for another one."""
    running = asyncio.ensure_future(work)
    while not running.done() and not mortal.dead:  # noqa: ASYNC110  # the store sets no event
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    running.cancelled() or running.exception()  # no caller is left to receive it


def check(world, backends):
    """One result, one computation, all in the ledger, nothing left open."""
    folder = world.order().folder
    assert folder.has_result()
    begun = sum(worker.begun for backend in backends for worker in backend.workers)
    assert begun == 1
    attempts = folder.attempts()
    assert all(attempt.end is not None for attempt in attempts)
    assert len(world.rows()) == len(attempts)
    assert [row[1] for row in world.rows()].count("done") == 1


def works(worker):
    """As in production: a lease, a computation, a result; nothing if another worker has it."""
    worker.begun = worker.takes()
    if worker.begun:
        yield
        worker.write_result()
        worker.beat("done")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(1, 40))
def test_killed_at_any_step_the_next_engine_finishes_and_nothing_is_paid_twice(
    world, die, step, after
):
    first, second = world.backend(works), world.backend(works, works)
    for backend in (first, second):
        backend.scripts = [works] * 5
    mortal = die(first, step, after=after)
    _deliver_late(first)  # RunPod goes on with what it has, whoever died

    world.run(second, world.order())
    found = asyncio.run(_reconciler(world, second).reconcile())

    check(world, [first, second])
    assert found.troubles == []
    assert list(Spending(world.storage).open()) == []
    assert mortal.dead or step > mortal.steps


def test_every_step_of_a_life_is_among_those(world, die):
    world_backend = world.backend()
    world_backend.scripts = [works]

    assert 10 < die(world_backend, 0, after=False).steps < 40


def _deliver_late(backend):
    """Submitted jobs are done even if no caller waits for them."""
    for worker, script in backend._playing.values():
        for _ in script:
            pass
        assert worker.request


def _reconciler(world, backend):
    engine = world.engine(backend)
    later = datetime.now(UTC) + timedelta(hours=2)
    return Reconciler(
        world.storage,
        engine.fleet,
        engine.closing,
        clock=world.clock,
        sleep=world.clock.sleep,
        now=lambda: later,
    )
