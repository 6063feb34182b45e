"""Which jobs share a machine: each start is worth it, and no lease passes its limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.gpu.batch_machines.gather_rules import START_SHARE, GatherRules
from resources.gpu.batch_machines.packing import packed

RULES = GatherRules(
    most_jobs=100,
    most_wait_seconds=20.0,
    most_machines=10,
    lease_limit_seconds=14_400,
    start_seconds=240.0,
    jobs_at_once=500,
)
RUNS = st.lists(st.floats(0.1, 20_000), max_size=120)
MACHINES = st.integers(1, 12)


def loads(runs, manifests):
    return [sum(runs[i] for i in one) for one in manifests]


@given(RUNS, MACHINES)
def test_each_job_is_in_one_manifest(runs, machines):
    manifests = packed(runs, RULES, machines)

    assert sorted(i for one in manifests for i in one) == list(range(len(runs)))
    assert all(manifests)


@given(RUNS, MACHINES)
def test_no_lease_passes_its_limit_but_that_of_one_job_over_it(runs, machines):
    manifests = packed(runs, RULES, machines)

    for one, load in zip(manifests, loads(runs, manifests), strict=True):
        assert load <= RULES.most_work_seconds * (1 + 1e-9) or len(one) == 1


@given(RUNS, MACHINES)
def test_a_start_is_over_5_percent_only_where_no_two_manifests_fit_into_one(runs, machines):
    manifests = packed(runs, RULES, machines)
    found = loads(runs, manifests)
    shared = sorted(load for load in found if load <= RULES.most_work_seconds)

    small = [load for load in shared if load < RULES.full_seconds * (1 - 1e-9)]
    if len(shared) > 1 and small:
        assert shared[0] + shared[1] > RULES.most_work_seconds * (1 - 1e-9)


@given(st.lists(st.floats(1, 600), min_size=1, max_size=120), MACHINES)
def test_with_enough_work_every_start_is_under_5_percent(runs, machines):
    manifests = packed(runs, RULES, machines)

    if sum(runs) >= RULES.full_seconds:
        for load in loads(runs, manifests):
            assert RULES.start_seconds / (RULES.start_seconds + load) <= START_SHARE * (1 + 1e-9)


@given(RUNS, MACHINES)
def test_in_a_manifest_the_shortest_jobs_come_first(runs, machines):
    for one in packed(runs, RULES, machines):
        assert [runs[i] for i in one] == sorted(runs[i] for i in one)


@given(st.lists(st.floats(1, 300), max_size=200))
def test_no_more_machines_than_allowed_where_all_fit(runs):
    manifests = packed(runs, RULES, 2)

    if sum(runs) <= RULES.most_work_seconds:
        assert len(manifests) <= 2


def test_a_night_is_spread_evenly_over_the_machines():
    runs = [100.0, 200.0, 300.0, 400.0] * 50

    manifests = packed(runs, RULES, 10)

    assert len(manifests) == 10
    assert max(loads(runs, manifests)) - min(loads(runs, manifests)) <= 400


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_and_one_job(count):
    assert packed([60.0] * count, RULES, 10) == [(0,)] * count
