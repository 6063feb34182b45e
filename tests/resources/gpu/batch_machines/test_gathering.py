"""How long attempts wait for each other, and with whom they leave."""

import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.errors import BackendUnavailableError
from resources.gpu.batch_machines.gather_rules import GatherRules, hold_seconds
from resources.gpu.batch_machines.gathering import Gathering
from resources.gpu.batch_machines.time_sources import Time
from resources.gpu.job_folder import Submission

RULES = GatherRules(
    most_jobs=5,
    most_wait_seconds=20.0,
    most_machines=10,
    lease_limit_seconds=14_400,
    start_seconds=240.0,
    jobs_at_once=500,
)


class Wheel:
    """Time that goes on only when all tasks wait."""

    def __init__(self):
        self.now, self._sleepers = 0.0, []

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, woken))
        await woken

    async def until(self, then):
        """Go on, step by step."""
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            due = [one for one in self._sleepers if one[0] <= then and not one[1].done()]
            if not due:
                self.now = then
                return
            at, woken = min(due, key=lambda one: one[0])
            self.now = max(self.now, at)
            woken.set_result(None)

    @property
    def time(self):
        return Time(lambda: self.now, self.sleep, lambda: 0.5)


def gathered(life):
    """The groups that left, and when, in the life of a gathering."""
    wheel, groups = Wheel(), []

    async def leave(group):
        groups.append((wheel.now, [one.request for one in group]))
        for one in group:
            one.accept(Submission(provider_id=f"with-{len(group)}"))

    async def run():
        gathering = Gathering(partial(hold_seconds, RULES), leave, wheel.time)

        def add(name, run_seconds):
            arrival = gathering.submission_of(name, run_seconds, lambda _: None)
            return asyncio.ensure_future(arrival)

        await life(add, wheel.until)
        await gathering.close(1.0)

    asyncio.run(run())
    return groups


def test_a_lone_job_waits_for_5_percent_of_its_work():
    async def life(add, until):
        task = add("a", 60.0)
        await until(2.9)
        assert not task.done()
        await until(10)
        assert (await task).provider_id == "with-1"

    assert gathered(life) == [(3.0, ["a"])]


def test_a_long_job_waits_no_longer_than_the_setting():
    async def life(add, until):
        add("a", 4_000.0)
        await until(100)

    assert gathered(life) == [(20.0, ["a"])]


def test_each_arrival_gives_the_others_more_time_and_none_waits_beyond_the_limit():
    async def life(add, until):
        for second in range(0, 8, 2):
            await until(second)
            add(second, 60.0 + second * 60)
        await until(100)

    assert gathered(life) == [(20.0, [0, 2, 4, 6])]


def test_a_number_of_jobs_leaves_at_once():
    async def life(add, until):
        tasks = [add(n, 1.0) for n in range(7)]
        await until(0)
        assert [task.done() for task in tasks] == [True] * 5 + [False] * 2
        await until(1)

    assert [len(group) for _, group in gathered(life)] == [5, 2]


def test_the_work_of_two_leases_leaves_at_once():
    async def life(add, until):
        add("a", RULES.enough_seconds / 2)
        await until(1)
        add("b", RULES.enough_seconds / 2)
        await until(1)

    assert gathered(life) == [(1, ["a", "b"])]


def test_a_job_that_is_interrupted_while_it_waits_is_left_out():
    async def life(add, until):
        first, _ = add("a", 60.0), add("b", 60.0)
        await until(1)
        first.cancel()
        await until(10)

    assert gathered(life) == [(6.0, ["b"])]


def test_nothing_leaves_when_all_were_interrupted_and_the_next_one_waits_anew():
    async def life(add, until):
        task = add("a", 60.0)
        await until(1)
        task.cancel()
        await until(30)
        add("b", 60.0)
        await until(60)

    assert gathered(life) == [(33.0, ["b"])]


@pytest.mark.parametrize("error", [BackendUnavailableError("refused"), ZeroDivisionError()])
def test_whatever_goes_wrong_is_told_to_all_of_a_group(error):
    wheel = Wheel()

    async def leave(_):
        raise error

    async def run():
        gathering = Gathering(partial(hold_seconds, RULES), leave, wheel.time)
        arrivals = [gathering.submission_of(n, 1.0, lambda _: None) for n in range(5)]
        return await asyncio.gather(*arrivals, return_exceptions=True)

    assert asyncio.run(run()) == [error] * 5


@given(st.lists(st.floats(0.1, 10_000), min_size=1, max_size=8))
def test_jobs_wait_no_longer_than_their_share_of_a_start(runs):
    held = hold_seconds(RULES, runs)

    assert 0 <= held <= min(RULES.most_wait_seconds, 0.05 * sum(runs) + 1e-9)
    if len(runs) >= RULES.most_jobs or sum(runs) >= RULES.enough_seconds:
        assert held == 0
