"""Batch machines on the timeline: whatever dies or fails, all is done in the end and paid once."""

import pytest

from .backends import MACHINES
from .lives import PLANS, TWO, disturbed, killed_at_each_step, world
from .lives import worker_killed_at_each_step as worker_killed
from .storms import storm

THREE = (*TWO, "acme/c.mp3")


@pytest.mark.parametrize("plan", ["run", "reconcile one running"])
def test_whenever_an_orchestrator_is_killed_all_is_done_and_paid_once(zygote, plan):
    """The bench kills it at each step."""
    found = list(killed_at_each_step(zygote, PLANS[plan], after=True, kind=MACHINES, every=4))

    assert len(found) >= 5
    assert sum(one.results for one in found) == len(found)


def test_a_worker_that_is_killed_at_any_step_costs_one_more_computation_at_most(zygote):
    found = list(worker_killed(zygote, after=True, kind=MACHINES))

    assert len(found) >= 5
    assert all(one.results == 1 and one.computations <= 1 + one.deaths for one in found)


@pytest.mark.parametrize(("verb", "fault"), [("run", "answer lost"), ("cancel", "reset")])
def test_a_request_that_goes_wrong_costs_no_second_computation(zygote, verb, fault):
    found = list(disturbed(zygote, verb, fault, MACHINES))

    assert sum(one.results for one in found) == len(found)


@pytest.mark.parametrize("seed", range(8))
def test_no_storm_loses_a_recording_or_pays_for_one_twice(zygote, seed):
    assert storm(zygote, seed, MACHINES).results == 2


def test_recordings_that_come_together_share_one_machine(zygote):
    with world(zygote, THREE, MACHINES) as one:
        assert one.run()["ends"] == ["done"] * 3
        assert one.finish() == ["done"] * 3

        assert one.provider.count("run") == 1
        assert one.check().computations == 3


@pytest.mark.parametrize("seconds", [30, 89])
def test_what_is_left_of_a_machine_that_goes_is_done_by_another(zygote, seconds):
    with world(zygote, THREE, MACHINES) as one:
        one.provider.lives = [{"lives_seconds": seconds}]
        assert one.run()["ends"] == ["done"] * 3
        assert one.finish() == ["done"] * 3

        found = one.check()
        attempts = [one.folder(name).attempts() for name in THREE]
    assert (found.computations, found.deaths) == (4, 1)
    assert sorted(len(of_one) for of_one in attempts) == [2, 2, 2]


@pytest.mark.parametrize("waits", [20, 70])
def test_a_manifest_on_two_machines_at_once_is_computed_once(zygote, waits):
    with world(zygote, THREE, MACHINES) as one:
        one.provider.lives = [{"times": 2, "waits": waits}]
        assert one.run()["ends"] == ["done"] * 3
        assert one.finish() == ["done"] * 3

        assert one.check().computations == 3


def test_an_interrupted_run_leaves_no_machine_and_what_it_kept_is_not_computed_again(zygote):
    with world(zygote, THREE, MACHINES) as one:
        assert one.run(stops_after=80)["ends"] == ["interrupted"] * 3
        one.wait_for_workers()
        assert one.finish() == ["done"] * 3

        stopped = [each for each in one.provider.deliveries if each.state == "stopped"]
        assert len(stopped) == 1
        assert one.check().deaths == 1
