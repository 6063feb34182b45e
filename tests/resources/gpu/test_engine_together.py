"""Engines that follow, meet or interrupt one another: paid once, every attempt in the ledger."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from escriba.billing.attempts import AttemptEnd
from escriba.billing.price_book import PriceBook
from gpu_job.transfer import Put
from resources.gpu.job_folder import JobFolder, Submission
from resources.gpu.job_orders import request_of
from resources.ledger.queries import open_ledger
from resources.storage.base import StorageError

OF_OLD, TODAY = datetime(2020, 6, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)


@pytest.fixture
def left_behind(world, dead):
    """An attempt that an orchestrator which is dead had begun; its request."""

    def leave(creator=dead, *, submitted=False, **changes):
        order = world.order()
        attempt = world.attempt(order)
        attempt = attempt.model_copy(update={"creator": creator, **changes})
        assert order.folder.begin(attempt)
        if submitted:
            order.folder.submitted(1, Submission(provider_id="gone"))
        return request_of(order, attempt)

    return leave


def worker_of(world, request):
    backend = world.backend()
    asyncio.run(backend.submit(request, None, None))
    return backend.workers[0]


def statuses(world):
    return [row[1] for row in world.rows()]


def raw_rows(world):
    """How many rows the files hold, twice told ones too."""
    with open_ledger(world.storage) as ledger:
        return ledger.execute(
            "SELECT count(*) FROM read_parquet(getvariable('attempts_paths'))"
        ).fetchone()[0]


def test_an_attempt_whose_worker_died_with_its_orchestrator_is_closed(world, left_behind, dead):
    worker_of(world, left_behind(submitted=True)).takes(place=dead)
    backend = world.backend()
    since = world.clock()

    assert world.run(backend, world.order()).result.attempt == 2

    assert world.clock() - since < 10
    assert statuses(world) == ["lost", "done"]
    assert [row[2] for row in world.rows()] == [10.0, 10.0]  # to its last beat, no longer


def test_an_attempt_that_was_never_submitted_is_buried_when_its_creator_is_dead(world, left_behind):
    left_behind()
    since = world.clock()

    assert world.run(world.backend(), world.order()).result.attempt == 2

    assert world.clock() - since < 10
    assert statuses(world) == ["buried", "done"]


def test_an_attempt_of_another_machine_has_60_s_to_be_submitted(world, left_behind, dead):
    left_behind(creator=dead.model_copy(update={"boot_id": "another"}))
    since = world.clock()

    assert world.run(world.backend(), world.order()).result.attempt == 2

    assert 60 < world.clock() - since < 70


def test_an_attempt_that_still_runs_is_waited_for(world, left_behind):
    worker = worker_of(world, left_behind(submitted=True))
    worker.takes()
    backend = world.backend()
    polled = backend.poll

    async def meanwhile(submission, wait_seconds):
        if backend.polls == 400:
            worker.write_result()
        worker.beat("done" if backend.polls >= 400 else "running")
        return await polled(submission, wait_seconds)

    backend.poll = meanwhile
    finished = world.run(backend, world.order())

    assert finished.result.nonce == worker.nonce
    assert backend.attempts == []
    assert statuses(world) == ["done"]


def test_two_engines_on_one_job_make_one_computation(world, scripts):
    backends = [world.backend(scripts.fails), world.backend(scripts.fails)]

    async def both():
        engines = [world.engine(backend) for backend in backends]
        return await asyncio.gather(*(engine.run(world.order()) for engine in engines))

    first, second = asyncio.run(both())

    assert first.result == second.result
    taken = sorted(backends[0].attempts + backends[1].attempts)
    assert taken == list(range(1, len(taken) + 1))  # no number twice
    assert statuses(world) == ["failed"] * (len(taken) - 1) + ["done"]


def test_a_worker_that_ends_between_two_reads_is_not_called_lost(world, monkeypatch):
    def works(worker):
        worker.takes()
        while True:
            yield

    backend, read = world.backend(works), JobFolder.read_lease

    def ends_meanwhile(folder, n, watch):
        if backend.polls == 3:
            backend.workers[0].write_result()
            backend.workers[0].beat("done")
        return read(folder, n, watch)

    monkeypatch.setattr(JobFolder, "read_lease", ends_meanwhile)
    world.run(backend, world.order())

    assert backend.attempts == [1]
    assert statuses(world) == ["done"]


def test_a_result_that_comes_late_is_taken_and_its_attempt_is_done(world, left_behind):
    worker = worker_of(world, left_behind(submitted=True))
    worker.takes()

    def overtaken(second):
        worker.write_result()
        assert not second.takes()
        yield

    finished = world.run(world.backend(overtaken), world.order())

    assert finished.result.attempt == 1
    assert [attempt.end.status for attempt in finished.attempts] == ["done", "buried"]
    assert statuses(world) == ["done", "buried"]


def test_the_seconds_of_an_attempt_that_lost_the_race_are_in_the_ledger(world, left_behind):
    first = worker_of(world, left_behind(submitted=True))
    first.takes()

    def too_late(second):
        second.takes()
        first.write_result()
        assert second.write_result() is Put.EXISTS
        second.beat("done")
        return
        yield

    finished = world.run(world.backend(too_late), world.order())

    assert finished.result.nonce == first.nonce
    assert statuses(world) == ["done", "stopped"]
    assert all(row[3] > 0 for row in world.rows())


def test_killed_between_the_row_and_the_end_nothing_is_lost_or_counted_twice(
    world, scripts, monkeypatch
):
    def killed(folder, attempt):
        raise StorageError("the process is gone")

    with monkeypatch.context() as first_run:
        first_run.setattr(JobFolder, "close", killed)
        with pytest.raises(StorageError):
            world.run(world.backend(scripts.fails), world.order())
    before = world.rows()

    world.run(world.backend(scripts.succeeds), world.order())

    assert raw_rows(world) == 3
    assert statuses(world) == ["failed", "done"]
    assert world.rows()[0] == before[0]


def test_an_attempt_whose_row_could_not_be_written_stays_open_for_the_next_run(
    world, scripts, monkeypatch
):
    with monkeypatch.context() as first_run:
        first_run.setattr(world.storage, "_place", None)
        with pytest.raises(TypeError):
            world.run(world.backend(scripts.fails), world.order())
    assert world.order().folder.attempt(1).end is None

    world.run(world.backend(scripts.succeeds), world.order())

    assert statuses(world) == ["failed", "done"]


def test_every_attempt_that_ended_has_its_end_and_just_one_row(world, scripts):
    backend = world.backend(scripts.is_never_begun, scripts.fails, scripts.dies, scripts.succeeds)

    world.run(backend, world.order())

    attempts = world.order().folder.attempts()
    assert all(isinstance(attempt.end, AttemptEnd) for attempt in attempts)
    assert [attempt.end.status for attempt in attempts] == ["buried", "failed", "lost", "done"]
    assert statuses(world) == ["buried", "failed", "lost", "done"]
    assert raw_rows(world) == 4


def test_an_attempt_is_paid_at_the_price_of_its_own_time(world, left_behind, dead, price):
    worker_of(world, left_behind(submitted=True, created_at=OF_OLD)).takes(place=dead)
    book = PriceBook((price("0.5", until=TODAY), price("0.25", since=TODAY)))

    world.run(world.backend(), world.order(), prices=book)

    # ordered in 2020, and both ran now: 10 s at 0.25
    paid = Decimal("2.5")
    assert [(row[1], row[3]) for row in world.rows()] == [("lost", paid), ("done", paid)]
