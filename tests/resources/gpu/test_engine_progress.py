"""What people see of a job's progress while its worker sends nothing but heartbeats."""

import asyncio

from gpu_job.contract import JobError
from resources.gpu.forward_progress import ForwardProgress
from resources.gpu.job_folder import Submission
from resources.gpu.job_orders import request_of


def beats(*done_ms):
    """A worker that sends such heartbeats, and then its result."""

    def script(worker):
        if worker.takes():
            for one in done_ms:
                yield
                worker.beat(done_ms=one)
            yield
            worker.write_result()
            worker.beat("done")

    return script


def told_by(world, *scripts):
    """The progress that is told of a job on a backend that tells none itself."""
    told = []
    world.run(world.backend(*scripts), world.order(progress=told.append))
    return told


def test_each_heartbeat_tells_the_speech_that_is_done(world):
    assert told_by(world, beats(10_000, 25_000)) == [10_000, 25_000]


def test_progress_never_goes_backwards(world):
    assert told_by(world, beats(10_000, 5_000, 30_000)) == [10_000, 30_000]


def test_an_attempt_after_a_failed_one_is_told_once_it_is_further(world):
    def fails_late(worker):
        if worker.takes():
            yield
            worker.beat(done_ms=20_000)
            yield
            torn = JobError(code="internal", permanent=False, message="it is torn")
            worker.beat("failed", torn)

    assert told_by(world, fails_late, beats(10_000, 30_000)) == [20_000, 30_000]


def test_a_heartbeat_behind_what_the_backend_told_is_left_out():
    told = []
    progress = ForwardProgress(told.append)
    for done_ms in (8_000, 5_000, 9_000):
        progress(done_ms)

    assert told == [8_000, 9_000]


def test_the_lease_of_a_worker_that_died_tells_nothing(world, dead):
    def lost(worker):
        worker.done_ms = 20_000
        worker.takes(place=dead)
        yield

    assert told_by(world, lost, beats(10_000)) == [10_000]


def left_behind(world, dead, done_ms):
    """An attempt of an orchestrator that is dead, whose worker ran on another machine."""
    order = world.order()
    attempt = world.attempt(order).model_copy(update={"creator": dead})
    assert order.folder.begin(attempt)
    order.folder.submitted(1, Submission(provider_id="gone"))
    backend = world.backend()
    asyncio.run(backend.submit(request_of(order, attempt), None, None))
    [worker] = backend.workers
    worker.done_ms = done_ms
    worker.takes(place=dead.model_copy(update={"boot_id": "another"}))
    return worker


def test_an_attempt_of_another_process_tells_nothing_without_a_new_heartbeat(world, dead):
    """Its worker may be lost, which is known only after 300 s of silence."""
    left_behind(world, dead, 20_000)

    assert told_by(world, beats(10_000)) == [10_000]


def test_an_attempt_of_another_process_is_told_from_its_next_heartbeat_on(world, dead):
    worker = left_behind(world, dead, 20_000)
    told, backend = [], world.backend()
    polled = backend.poll

    async def poll(submission, wait_seconds):
        if worker.beats == 0 and world.clock() > 1_010:
            worker.beat(done_ms=25_000)
        elif worker.beats and told:
            worker.write_result()
        return await polled(submission, wait_seconds)

    backend.poll = poll
    world.run(backend, world.order(progress=told.append))

    assert told == [25_000]
    assert backend.attempts == []


def test_a_job_counts_as_active_from_its_first_heartbeat_to_its_end(world):
    active = []

    def script(worker):
        if worker.takes():
            yield
            worker.beat(done_ms=10_000)
            yield
            active.extend(engine.follower.active.values())
            worker.write_result()
            worker.beat("done")

    engine = world.engine(world.backend(script))
    asyncio.run(engine.run(world.order()))

    assert active == ["runpod"]
    assert not engine.follower.active
