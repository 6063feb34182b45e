"""One job on one engine: what it does about every way an attempt may end."""

import asyncio
from decimal import Decimal

import pytest

from escriba.billing.price_book import PriceBook, PriceBookError
from escriba.errors import RecordingError
from gpu_job import transfer
from gpu_job.contract import JobError
from resources.gpu.engine import _MAX_NEVER_STARTED
from resources.gpu.job_orders import AttemptLimits
from resources.ledger.queries import open_ledger


def statuses(world):
    return [row[1] for row in world.rows()]


def test_a_job_whose_first_attempt_succeeds_takes_one_attempt(world, scripts):
    backend = world.backend(scripts.succeeds)

    finished = world.run(backend, world.order())

    assert backend.attempts == [1]
    assert finished.result.nonce == backend.workers[0].nonce
    assert [attempt.end.status for attempt in finished.attempts] == ["done"]
    assert statuses(world) == ["done"]


def test_the_row_of_a_done_attempt_has_language_and_number_of_segments(world, scripts):
    """That of the result; an attempt that failed has the one that was asked for, here none."""
    world.run(world.backend(scripts.fails, scripts.succeeds), world.order())

    with open_ledger(world.storage) as ledger:
        found = ledger.execute(
            "SELECT status, language, segments, audio_bytes FROM attempts ORDER BY attempt"
        ).fetchall()
    assert found == [("failed", None, None, 1_000_000), ("done", "en", 1, 1_000_000)]


def test_an_attempt_that_fails_for_now_is_followed_by_another(world, scripts):
    backend = world.backend(scripts.fails, scripts.succeeds)

    finished = world.run(backend, world.order())

    assert backend.attempts == [1, 2]
    assert finished.result.attempt == 2
    assert finished.attempts[0].end.error == "it is torn"
    assert statuses(world) == ["failed", "done"]


def test_a_failure_for_good_is_told_at_once_with_its_reason(world, scripts):
    backend = world.backend(scripts.fails_for_good)

    with pytest.raises(RecordingError) as caught:
        world.run(backend, world.order())

    assert (caught.value.code, caught.value.message) == ("audio_unreadable", "it is torn")
    assert caught.value.permanent
    assert backend.attempts == [1]
    assert statuses(world) == ["failed"]


def test_a_failure_for_good_stands_until_somebody_asks_again(world, scripts):
    for retry, attempts in ((False, [1]), (False, []), (True, [2])):
        backend = world.backend(scripts.fails_for_good)
        with pytest.raises(RecordingError, match="it is torn"):
            world.run(backend, world.order(retry=retry))
        assert backend.attempts == attempts


def test_as_many_deaths_as_are_allowed_end_the_job_with_their_history(world, scripts):
    backend = world.backend(*[scripts.dies] * 5)

    with pytest.raises(RecordingError, match=r"3 attempts .*1: lost.*2: lost.*3: lost") as caught:
        world.run(backend, world.order())

    assert caught.value.code == "attempts_exhausted"
    assert backend.attempts == [1, 2, 3]
    assert statuses(world) == ["lost"] * 3


def test_a_job_that_is_exhausted_begins_again_only_on_retry_and_as_many_times(world, scripts):
    for retry, attempts in ((False, [1, 2, 3]), (False, []), (True, [4, 5, 6]), (False, [])):
        backend = world.backend(*[scripts.dies] * 5)
        with pytest.raises(RecordingError, match="attempts ended"):
            world.run(backend, world.order(retry=retry))
        assert backend.attempts == attempts

    backend = world.backend(scripts.dies, scripts.succeeds)
    assert world.run(backend, world.order(retry=True)).result.attempt == 8


def test_an_attempt_that_was_never_begun_is_buried_and_counts_for_none(world, scripts):
    backend = world.backend(*[scripts.is_never_begun] * 4, scripts.succeeds)

    finished = world.run(backend, world.order(), max_attempts=1)

    assert finished.result.attempt == 5
    assert statuses(world) == ["buried"] * 4 + ["done"]
    assert [row[3] for row in world.rows()][:4] == [0] * 4


def test_a_worker_that_comes_to_a_buried_attempt_leaves(world, scripts):
    backend = world.backend(scripts.is_never_begun, scripts.fails_for_good)
    with pytest.raises(RecordingError):
        world.run(backend, world.order())

    assert not backend.workers[0].takes()


def test_a_job_that_nobody_takes_is_not_offered_for_ever(world, scripts):
    for _ in range(2):  # the next run tries again
        backend = world.backend(*[scripts.is_never_begun] * 100)
        with pytest.raises(RecordingError) as caught:
            world.run(backend, world.order())
        assert (caught.value.code, caught.value.permanent) == ("not_taken", False)
        assert len(backend.attempts) == _MAX_NEVER_STARTED


def test_a_result_that_stands_costs_no_attempt(world, scripts):
    world.run(world.backend(scripts.succeeds), world.order())
    backend = world.backend()

    finished = world.run(backend, world.order(recording="acme/twin.mp3"))

    assert finished.result.attempt == 1
    assert backend.attempts == []
    assert [attempt.recording for attempt in finished.attempts] == ["acme/a.mp3"]


def test_twins_in_one_process_share_one_computation(world):
    backend = world.backend()
    engine = world.engine(backend)

    async def both():
        orders = [world.order(recording=name) for name in ("acme/a.mp3", "acme/b.mp3")]
        return await asyncio.gather(*map(engine.run, orders))

    first, second = asyncio.run(both())
    assert first.result == second.result
    assert backend.attempts == [1]


def test_two_tenants_never_share_a_job(world):
    backend = world.backend()
    for tenant in ("acme", "other"):
        world.run(backend, world.order(tenant=tenant))

    assert backend.attempts == [1, 1]


def test_a_job_that_runs_too_long_is_cancelled(world):
    def runs_until_cancelled(worker):
        worker.takes()
        while not worker.cancelled:
            worker.beat()
            yield
        worker.beat("stopped")

    backend = world.backend(runs_until_cancelled)
    since = world.clock()

    world.run(backend, world.order(), limits=AttemptLimits(3_600, 600))

    # 138 s are in its quote, and 120 s in which it should have stopped by itself
    assert 258 < world.clock() - since < 258 + 2 * backend.look_seconds
    assert statuses(world) == ["stopped", "done"]


def test_a_job_that_is_stopped_where_its_reservation_ends_goes_on_with_twice_the_time(world):
    """As often as it takes: it counts as no failure, and never runs beyond what is reserved."""

    def stops_itself(worker):
        worker.takes()
        while 10 + 30 * worker.beats < worker.request.limits.run_seconds:
            worker.beat()
            yield
        transfer.put(worker.addresses.partial_write, b"what it has done")
        late = JobError(code="internal", permanent=False, message="the job reached its time limit")
        worker.beat("failed", late)

    backend = world.backend(*[stops_itself] * 5)
    since = world.clock()

    finished = world.run(backend, world.order())

    limits = [one.request.limits.run_seconds for one in backend.workers]
    assert limits == [138, 276, 552, 1_104, 2_208, 4_416]
    assert [one.end.error_type for one in finished.attempts] == ["out_of_time"] * 5 + [""]
    assert finished.attempts[1].quote_usd == Decimal("0.08664")  # 60 + 276 + 120 s
    goes_on = [one.addresses.partial_read is not None for one in backend.workers]
    assert goes_on == [False, True, True, True, True, True]
    assert world.clock() - since < sum(limits)  # there is no wait before the next


def test_a_job_that_is_never_done_ends_at_its_longest_time(world):
    def runs_for_ever(worker):
        worker.takes()
        worker.beats = worker.request.limits.run_seconds // 30
        worker.beat("failed", JobError(code="internal", permanent=False, message="time over"))
        yield

    backend = world.backend(*[runs_for_ever] * 50)

    with pytest.raises(RecordingError, match="6 attempts ended") as caught:
        world.run(backend, world.order(), limits=AttemptLimits(3_600, 300))

    assert caught.value.code == "attempts_exhausted"
    limits = [one.request.limits.run_seconds for one in backend.workers]
    assert limits == [138, 276, 300, 300, 300, 300]  # three that had no more time than before


def test_the_time_in_a_queue_is_no_time_of_running(world):
    def waits_in_a_queue(worker):
        for _ in range(200):
            yield
        worker.takes()
        yield
        worker.write_result()

    backend = world.backend(waits_in_a_queue)

    world.run(backend, world.order(), limits=AttemptLimits(3_600, 600))

    assert not backend.workers[0].cancelled
    assert backend.attempts == [1]


def test_an_attempt_that_stays_in_the_queue_beyond_the_limit_is_buried(world):
    def never_comes(worker):
        while True:
            yield

    backend = world.backend(never_comes)
    since = world.clock()

    assert world.run(backend, world.order()).result.attempt == 2
    assert 3600 < world.clock() - since < 3700
    assert statuses(world) == ["buried", "done"]


def test_a_claim_that_does_not_change_for_300_s_has_no_owner(world):
    def falls_silent(worker):
        worker.takes()
        yield
        worker.beat()
        while True:
            yield

    since = world.clock()

    assert world.run(world.backend(falls_silent), world.order()).result.attempt == 2
    assert 300 < world.clock() - since < 320
    assert statuses(world) == ["lost", "done"]


def test_a_backend_that_is_done_does_not_end_an_attempt_that_a_worker_has(world):
    def is_called_done_too_early(worker):
        worker.takes()
        return
        yield

    backend = world.backend(is_called_done_too_early)
    world.run(backend, world.order())

    assert statuses(world) == ["lost", "done"]
    assert backend.polls < 200  # and it is not asked without a pause
    assert backend.workers[0].cancelled  # it may have given up, and cannot say so


def test_an_unknown_price_blocks_before_anything_is_spent(world):
    backend = world.backend()

    with pytest.raises(PriceBookError, match="runpod/l4"):
        world.run(backend, world.order(), prices=PriceBook(()))

    assert backend.attempts == []
    assert world.order().folder.attempts() == []
