"""What a job pays of a start depends on the work of all machines of the last hour."""

import pytest

from resources.gpu.batch_machines.gather_rules import GatherRules
from resources.gpu.batch_machines.recent_work import RecentWork

RULES = GatherRules(
    most_jobs=100,
    most_wait_seconds=20.0,
    most_machines=4,
    lease_limit_seconds=14_400,
    start_seconds=240.0,
    jobs_at_once=500,
)


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def recent(now):
    return RecentWork(RULES, lambda: now[0])


def test_a_backend_that_has_had_no_machine_is_expected_to_fill_one(recent):
    assert recent.work_seconds() == RULES.full_seconds


def test_one_machine_with_what_was_left_over_does_not_count_alone(recent):
    recent.left([7_000.0, 7_000.0, 7_000.0])
    recent.left([200.0])

    assert recent.work_seconds() == 5_300.0


def test_machines_of_more_than_an_hour_ago_are_forgotten(recent, now):
    recent.left([7_000.0])
    now[0] = 1_800.0
    recent.left([1_000.0])

    assert recent.work_seconds() == 4_000.0
    now[0] = 3_700.0
    assert recent.work_seconds() == 1_000.0
    now[0] = 5_500.0
    assert recent.work_seconds() == RULES.full_seconds
