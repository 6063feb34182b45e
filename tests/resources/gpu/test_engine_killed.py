"""Runs that are interrupted, and workers that are killed: what is paid, and what counts."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from resources.gpu import idempotency, job_orders

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)  # when workers begin here


def ends(world):
    """How each attempt of the ledger ended, and how many seconds it ran."""
    return [(row[1], row[2]) for row in world.rows()]


def test_runs_that_were_killed_do_not_speak_against_a_job(world, scripts, dead, monkeypatch):
    monkeypatch.setattr(job_orders, "here", lambda: dead)
    backend = world.backend(scripts.dies, scripts.dies, scripts.succeeds)

    finished = world.run(backend, world.order(), max_attempts=1)

    assert [attempt.end.error_type for attempt in finished.attempts] == ["interrupted"] * 2 + [""]
    assert [status for status, _ in ends(world)] == ["lost", "lost", "done"]


def test_a_worker_that_dies_under_our_eyes_is_paid_for_until_then(world, dead, monkeypatch):
    """It told of 10 s when it was seen first; it is gone after the looks 2.5 and 3.125 s later."""
    gone = []
    monkeypatch.setattr(idempotency, "is_known_dead", lambda place: bool(gone) and place == dead)

    def dies_later(worker):
        worker.takes(place=dead)
        yield
        yield
        gone.append(worker)
        yield

    world.run(world.backend(dies_later), world.order())

    assert ends(world) == [("lost", 15.625), ("done", 10.0)]


@pytest.mark.parametrize(
    ("worker_dies", "has_result", "rows"),
    [
        (True, False, [("stopped", 12.0)]),  # its beat of 10 s came after the last look, 2 s ago
        (True, True, []),  # it is done, whatever became of its worker: the next run says so
        (False, False, []),  # a worker that lives elsewhere goes on: the next run waits for it
    ],
)
def test_an_interrupted_run_ends_the_attempts_whose_workers_it_ended(
    world, dead, worker_dies, has_result, rows
):
    def works(worker):
        worker.takes(place=dead if worker_dies else None)
        if has_result:
            worker.write_result()
        interrupted.set()
        while True:
            yield

    async def interrupt():
        with_backend = world.engine(backend)
        running = asyncio.create_task(with_backend.run(world.order()))
        await interrupted.wait()
        running.cancel()
        await asyncio.wait([running])
        await with_backend.close()

    backend, interrupted = world.backend(works), asyncio.Event()
    asyncio.run(interrupt())

    assert backend.closed
    assert ends(world) == rows


def test_a_worker_lost_on_another_machine_is_paid_to_its_last_beat_by_its_own_clock(
    world, monkeypatch
):
    """Ours may be ten minutes ahead: no two machines' clocks are compared."""
    monkeypatch.setattr(job_orders, "now", lambda: NOON + timedelta(minutes=10))

    def falls_silent(worker):
        worker.takes()
        yield
        worker.beat()
        while True:
            yield

    world.run(world.backend(falls_silent), world.order())

    assert ends(world) == [("lost", 40.0), ("done", 10.0)]
