"""Where a job goes when backends refuse, fall ill or cost too much: nothing lost, nothing twice."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from escriba.billing.permissions import Permission
from escriba.billing.permissions import SpendLimits as Money
from escriba.billing.quotes import Health
from escriba.errors import BackendUnavailableError, OverBudgetError, RecordingError
from gpu_job.contract import JobError
from resources.gpu.backend import AttemptReport
from resources.spending.reservations import Spending


def down(times, *, lasting=False):
    return [BackendUnavailableError("502 Bad Gateway", lasting=lasting) for _ in range(times)]


def statuses(world):
    return [row[1] for row in world.rows()]


def open_attempts(world):
    return list(Spending(world.storage).open())


def test_the_verdict_is_kept_with_the_attempt_and_names_every_backend(world):
    l4, rtx = world.backend(), world.backend(sku="rtx4090")

    finished = world.run([l4, rtx], world.order())

    [attempt] = finished.attempts
    assert (attempt.backend, attempt.sku) == ("runpod", "l4")
    assert {one.sku for one in attempt.route.considered} == {"l4", "rtx4090"}
    assert "cheapest" in attempt.route.reason
    # 12 s are expected: 138 s at most, 120 s to stop in, twice the 30 s of a start
    assert attempt.quote_usd == Decimal("0.06042")
    assert attempt.run_limit_seconds == 138


def test_a_submission_that_is_refused_is_buried_and_the_next_one_is_made(world):
    backend = world.backend()
    backend.refusals = down(2)

    finished = world.run(backend, world.order())

    assert finished.result.attempt == 3
    assert statuses(world) == ["buried", "buried", "done"]
    assert "502" in finished.attempts[0].end.error
    assert open_attempts(world) == []


def test_a_backend_that_refuses_three_times_is_left_alone_and_another_takes_over(world):
    l4, rtx = world.backend(), world.backend(sku="rtx4090")
    l4.refusals = down(50)

    finished = world.run([l4, rtx], world.order(), primary="auto")

    assert finished.result.attempt == 4
    assert finished.attempts[-1].sku == "rtx4090"
    assert len(l4.refusals) == 47


def test_a_refused_key_is_not_tried_twice(world):
    l4, rtx = world.backend(), world.backend(sku="rtx4090")
    l4.refusals = down(50, lasting=True)

    world.run([l4, rtx], world.order())

    assert len(l4.refusals) == 49
    assert rtx.attempts == [2]


def test_alone_and_with_a_refused_key_the_job_ends_at_once_and_says_why(world):
    backend = world.backend()
    backend.refusals = [BackendUnavailableError("401: check RUNPOD_API_KEY", lasting=True)]
    since = world.clock()

    with pytest.raises(BackendUnavailableError, match="check RUNPOD_API_KEY"):
        world.run(backend, world.order())

    assert world.clock() - since < 60
    assert open_attempts(world) == []


def test_a_backend_that_is_down_for_ten_minutes_is_waited_for(world):
    backend = world.backend()
    begun, submit = world.clock(), backend.submit

    async def down_for_ten_minutes(*arguments):
        if world.clock() - begun < 600:
            raise BackendUnavailableError("connection refused")
        return await submit(*arguments)

    backend.submit = down_for_ten_minutes
    finished = world.run(backend, world.order())

    assert 600 < world.clock() - begun < 1_500
    assert statuses(world)[-1] == "done"
    assert len(finished.attempts) < 10  # it is not asked all the time


def test_a_backend_that_refuses_one_job_alone_for_fifty_minutes_is_waited_for(world):
    backend = world.backend()
    begun, submit = world.clock(), backend.submit

    async def down_for_fifty_minutes(*arguments):
        if world.clock() - begun < 3_000:
            raise BackendUnavailableError("connection refused")
        return await submit(*arguments)

    backend.submit = down_for_fifty_minutes
    finished = world.run(backend, world.order())

    assert finished.attempts[-1].end.status == "done"
    assert len(finished.attempts) > 10


def test_a_job_that_is_refused_while_others_are_taken_is_not_offered_for_ever(world):
    backend = world.backend()
    refused, submit = world.order(job="f" * 64), backend.submit

    async def refuses_it(request, *arguments):
        if request.job != refused.folder.job:
            return await submit(request, *arguments)
        engine.fleet.of("runpod", "l4").submissions.succeeded()  # of another job
        raise BackendUnavailableError("something in it is odd")

    backend.submit = refuses_it
    engine = world.engine(backend)
    with pytest.raises(RecordingError, match="odd") as caught:
        asyncio.run(engine.run(refused))

    assert caught.value.code == "not_taken"
    assert open_attempts(world) == []


def test_a_backend_that_stays_ill_ends_the_wait_with_its_reason(world):
    backend = world.backend()
    backend.said = Health("down", "no workers")

    with pytest.raises(BackendUnavailableError, match="no workers"):
        world.run(backend, world.order())

    assert backend.attempts == []


def test_while_one_job_tries_a_backend_again_the_others_wait(world):
    backend = world.backend()
    backend.refusals = down(4)  # three open the circuit; one probe more fails
    engine = world.engine(backend)

    async def all_of_them():
        orders = [world.order(job=f"{i:x}" * 64) for i in range(8)]
        return await asyncio.gather(*map(engine.run, orders))

    finished = asyncio.run(all_of_them())

    assert len(finished) == 8
    assert backend.refusals == []
    assert statuses(world).count("done") == 8
    assert open_attempts(world) == []


def test_workers_that_end_jobs_without_starting_them_count_against_their_backend(world, scripts):
    l4 = world.backend(*[scripts.is_never_begun] * 50)
    rtx = world.backend(sku="rtx4090")

    finished = world.run([l4, rtx], world.order())

    assert finished.result.attempt == 4
    assert finished.attempts[-1].sku == "rtx4090"
    assert (
        "end jobs without starting them"
        in finished.attempts[-1].route.blocked("health")[0].excluded
    )


def test_jobs_that_were_not_begun_when_their_machine_went_count_against_nobody(world, scripts):
    l4 = world.backend(*[scripts.is_never_begun] * 4)
    rtx = world.backend(sku="rtx4090")
    poll = l4.poll

    async def taken_away(submission, wait_seconds):
        report = await poll(submission, wait_seconds)
        ours = report is not None and len(l4.attempts) < 5
        return AttemptReport("FAILED", "taken away", "cancelled") if ours else report

    l4.poll = taken_away

    assert world.run([l4, rtx], world.order()).attempts[-1].sku == "l4"


def test_what_would_pass_a_limit_is_deferred_and_nothing_is_spent(world):
    backend = world.backend()

    with pytest.raises(OverBudgetError) as caught:
        world.run(backend, world.order(), money=Money(day_usd="0.001"))

    assert (caught.value.code, caught.value.permanent) == ("over_budget", False)
    assert caught.value.needs_usd == Decimal("0.06042")
    assert "DAILY_COST_THRESHOLD" in str(caught.value)
    assert backend.attempts == []
    assert open_attempts(world) == []


def test_a_limit_lets_a_cheaper_or_unpaid_backend_take_over(world):
    rtx, openai = world.backend(sku="rtx4090"), world.backend(name="openai", paid=False)

    finished = world.run([rtx, openai], world.order(), money=Money(day_usd="0.001"))

    assert finished.attempts[0].backend == "openai"


def test_two_engines_at_once_pass_a_limit_by_nothing(world, scripts):
    money = Money(day_usd="0.15")  # two quotes of 0.06042, and not a third
    backends = [world.backend(), world.backend()]
    engines = [world.engine(backend, money=money) for backend in backends]

    async def both():
        orders = [world.order(job=f"{i:x}" * 64) for i in range(6)]
        runs = [engine.run(order) for order in orders for engine in engines]
        return await asyncio.gather(*runs, return_exceptions=True)

    outcomes = asyncio.run(both())

    assert all(not isinstance(o, Exception) or isinstance(o, OverBudgetError) for o in outcomes)
    assert sum(row[3] for row in world.rows()) <= Decimal("0.15")
    assert open_attempts(world) == []
    world.run(world.backend(), world.order(job="f" * 64), money=money)  # what is left is not lost


def test_of_one_run_as_many_jobs_begin_as_a_limit_allows(world):
    engine = world.engine(backend := world.backend(), money=Money(day_usd="0.15"))

    async def all_of_them():
        orders = [world.order(job=f"{i:x}" * 64) for i in range(6)]
        return await asyncio.gather(*map(engine.run, orders), return_exceptions=True)

    outcomes = asyncio.run(all_of_them())

    assert sum(isinstance(outcome, OverBudgetError) for outcome in outcomes) <= 4
    assert len(backend.attempts) >= 2
    assert sum(row[3] for row in world.rows()) <= Decimal("0.15")


def test_what_an_attempt_came_to_takes_the_place_of_its_quote(world):
    world.run(world.backend(), world.order())

    ours = world.engine(world.backend(), money=Money(day_usd="1")).fleet.budget
    [left] = asyncio.run(ours.left("acme", Permission()))

    assert left.limit_usd - left.left_usd == Decimal("0.0019")  # 10 s at 0.00019; no worker starts


def test_no_backend_that_may_is_the_recordings_own_end_and_can_be_mended(world):
    order = world.order(permission=Permission(third_parties=False))

    with pytest.raises(RecordingError, match="third") as caught:
        world.run(world.backend(), order)

    assert (caught.value.code, caught.value.permanent) == ("no_backend", False)


def test_addresses_that_expired_in_the_queue_are_signed_anew_and_count_for_nothing(world):
    def finds_them_expired(worker):
        if worker.takes():
            yield
            worker.beat("failed", JobError(code="audio_expired", permanent=False, message="403"))

    backend = world.backend(*[finds_them_expired] * 5)

    finished = world.run(backend, world.order())

    assert finished.result.attempt == 6
    assert finished.attempts[0].end.error_type == "audio_expired"


def test_a_failure_that_may_pass_is_waited_out_and_one_that_was_lost_is_not(world, scripts, dead):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await world.clock.sleep(seconds)

    world.run(world.backend(scripts.fails, scripts.fails), world.order(), sleep=sleep)
    after_failures, slept[:] = sum(slept), []
    world.run(world.backend(scripts.dies), world.order(job="e" * 64), sleep=sleep)

    assert 1.5 <= after_failures <= 4.5
    assert sum(slept) < 10


def test_many_jobs_of_a_backend_that_refuses_for_ever_all_end_within_two_hours(world):
    backend = world.backend()
    backend.refusals = down(10_000)
    since, engine = world.clock(), world.engine(backend)
    orders = [world.order(job=f"{n:064x}") for n in range(40)]

    async def go():
        return await asyncio.gather(*(engine.run(one) for one in orders), return_exceptions=True)

    found = asyncio.run(go())

    assert {type(one) for one in found} <= {BackendUnavailableError, RecordingError}
    assert world.clock() - since < 7_200
    assert open_attempts(world) == []


def test_a_machine_whose_worker_cannot_start_leaves_its_jobs_to_the_others(world):
    local = world.backend(name="openai", sku="l4", paid=False)
    remote = world.backend()

    @asynccontextmanager
    async def no_slot():
        raise BackendUnavailableError("its worker could not start")
        yield

    local.slot = no_slot

    finished = world.run([local, remote], world.order(), primary="openai")

    assert finished.attempts[-1].backend == "runpod"


def test_a_job_that_its_backends_limit_refuses_at_the_last_moment_goes_to_another(world):
    limits = {"runpod": Decimal("0.07")}  # one quote of 0.06042, and not a second
    l4, other = world.backend(), world.backend(name="openai", sku="l4", paid=False)
    engine = world.engine(l4, other, of_backends=limits, primary="runpod")

    async def all_of_them():
        orders = [world.order(job=f"{i:x}" * 64) for i in range(4)]
        return await asyncio.gather(*map(engine.run, orders))

    finished = asyncio.run(all_of_them())

    assert len(finished) == 4
    assert len(l4.attempts) >= 1
    assert len(l4.attempts) + len(other.attempts) == 4
    assert len(other.attempts) >= 1
    assert open_attempts(world) == []


def test_the_limit_of_one_backend_does_not_end_the_wait_for_another(world):
    l4, other = world.backend(), world.backend(name="openai")
    begun, submit = world.clock(), other.submit

    async def down_for_ten_minutes(*arguments):
        if world.clock() - begun < 600:
            raise BackendUnavailableError("connection refused")
        return await submit(*arguments)

    other.submit = down_for_ten_minutes
    finished = asyncio.run(
        world.engine(l4, other, of_backends={"runpod": Decimal(0)}).run(world.order())
    )

    assert finished.attempts[-1].backend == "openai"
    assert l4.attempts == []


def test_what_no_worker_started_in_time_is_cancelled_so_that_no_machine_starts_for_it(world):
    def waits_for_ever(worker):
        while True:
            yield

    backend = world.backend(waits_for_ever)

    finished = world.run(backend, world.order())

    assert [one.end.status for one in finished.attempts] == ["buried", "done"]
    assert [worker.cancelled for worker in backend.workers] == [True, False]
