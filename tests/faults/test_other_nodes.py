"""A run moves from one node to another, as Dagster's launchers move it: all is paid once.

Each orchestrator claims a machine of its own, so that nobody can tell from a process whether the
other one lives.
"""

import itertools

import pytest

from .lives import MOST_STEPS, TWO, with_note, world

A, B = {"elsewhere": True, "machine": "node-a"}, {"elsewhere": True, "machine": "node-b"}
EVERY = 6  # steps, to keep it short; test_killed.py dies at each


def moved_at_each_step(zygote, *, after):
    """The figures of each run whose first node died, as long as there is another step."""
    for number in itertools.count(1, EVERY):
        assert number < MOST_STEPS, "it never ends"
        with with_note(f"node-a died at step {number}"), world(zygote) as one:
            if one.run(dies_at=number, after=after, **A) is not None:
                return
            assert one.finish(**B) == ["done"]
            yield one.check()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_whose_node_died_goes_on_at_another_and_pays_once(zygote, after):
    found = list(moved_at_each_step(zygote, after=after))

    assert len(found) >= 3
    assert sum(one.results for one in found) == len(found)
    assert all(one.computations == 1 for one in found)  # no node computed what another had begun


def test_two_nodes_that_both_live_pay_once(zygote):
    """The first one was only cut off from Dagster, so the run goes on at both."""
    with world(zygote, TWO) as one:
        first, second = one.start(**A), one.start(begins_after=40, **B)

        assert first.outcome()["ends"] == second.outcome()["ends"] == ["done", "done"]
        assert one.finish(**B) == ["done", "done"]
        assert one.check().computations == 2
