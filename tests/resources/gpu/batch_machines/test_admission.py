"""When attempts may begin on batch machines: alone at once, else in such numbers as fill one."""

import asyncio
import contextlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from resources.gpu.batch_machines.admission import Admission, Crowd, admitted, fill_of
from resources.gpu.batch_machines.gather_rules import GatherRules
from resources.gpu.batch_machines.time_sources import REAL_TIME

RULES = GatherRules(
    most_jobs=100,
    most_wait_seconds=20.0,
    most_machines=4,
    lease_limit_seconds=14_400,
    start_seconds=240.0,
    jobs_at_once=500,
)
MEAN = 300.0
FILL = fill_of(RULES, MEAN)
CROWD = Crowd(waiting=3, waited_seconds=0.0, begun=0, busy=0, mean_seconds=MEAN)


def test_so_many_fill_a_machine_that_its_start_is_under_5_percent_and_its_lease_suffices():
    assert RULES.full_seconds <= FILL * MEAN <= RULES.most_work_seconds


def test_a_lone_job_waits_for_nobody():
    assert admitted(RULES, replace(CROWD, waiting=1, mean_seconds=0.0)) == 1


def test_while_a_machine_is_busy_others_wait_until_they_fill_one():
    busy = replace(CROWD, busy=1)

    assert admitted(RULES, busy) == 0
    assert admitted(RULES, replace(busy, waiting=FILL + 3)) == FILL
    assert admitted(RULES, replace(busy, waiting=2 * FILL)) == 2 * FILL


def test_who_has_waited_as_long_as_a_start_takes_begins_with_less_company():
    assert admitted(RULES, replace(CROWD, busy=1, waited_seconds=240.0)) == 3


def test_nobody_begins_while_no_machine_is_free():
    assert admitted(RULES, replace(CROWD, busy=4, waiting=500, waited_seconds=9_000.0)) == 0
    assert admitted(RULES, replace(CROWD, busy=3, waiting=500, begun=FILL)) == 0


def test_the_work_of_all_that_wait_is_known():
    async def run():
        admission = Admission(RULES, lambda: RULES.most_machines, REAL_TIME)
        admission.predicted(MEAN)
        waiting = [asyncio.create_task(admission.turn()) for _ in range(3)]
        await asyncio.sleep(0)
        work = admission.work_seconds
        admission.close()
        for one in waiting:
            one.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await one
        return work

    assert asyncio.run(run()) == 3 * MEAN


@given(
    st.builds(
        Crowd,
        waiting=st.integers(0, 1_000),
        waited_seconds=st.floats(0, 10_000),
        begun=st.integers(0, 500),
        busy=st.integers(0, 12),
        mean_seconds=st.floats(0, 20_000),
    )
)
def test_never_more_than_wait_or_than_the_free_machines_can_do(crowd):
    count = admitted(RULES, crowd)

    assert 0 <= count <= crowd.waiting
    if count:
        most = (RULES.most_machines - crowd.busy) * fill_of(RULES, crowd.mean_seconds)
        assert crowd.begun + count <= most
