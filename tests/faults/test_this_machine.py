"""Workers that are children of the orchestrator: whoever dies, all is done and paid once.

The bench kills at each step; here each backend gets what no other one has.
"""

import pytest

from .backends import HERE, OPENAI, PYANNOTE_AI
from .lives import PLANS, disturbed, killed_at_each_step, worker_killed_at_each_step, world
from .storms import storm


@pytest.mark.parametrize("kind", HERE)
def test_whenever_an_orchestrator_is_killed_its_workers_end_and_all_is_paid_once(zygote, kind):
    found = list(killed_at_each_step(zygote, PLANS["run"], after=True, kind=kind, every=8))

    assert len(found) >= 3
    assert sum(one.results for one in found) == len(found)


@pytest.mark.parametrize("kind", [OPENAI, PYANNOTE_AI])
def test_a_worker_that_is_killed_costs_one_paid_piece_at_most(zygote, kind):
    found = list(worker_killed_at_each_step(zygote, after=True, kind=kind))

    assert len(found) >= 8
    assert sum(one.bought_again for one in found) > 0  # what was in flight
    assert all(one.bought_again <= one.deaths for one in found)


@pytest.mark.parametrize(("kind", "verb"), [(OPENAI, "transcribe"), (PYANNOTE_AI, "diarize")])
def test_an_answer_that_is_lost_costs_one_paid_piece_and_no_recording(zygote, kind, verb):
    found = list(disturbed(zygote, verb, "answer lost", kind))

    assert sum(one.results for one in found) == len(found)
    assert found[0].bought_again == 1


@pytest.mark.parametrize("kind", HERE)
def test_an_interrupted_run_leaves_no_worker(zygote, kind):
    with world(zygote, kind=kind) as one:
        assert one.run(stops_after=60)["ends"] == ["interrupted"]
        assert one.provider.orphans() == 0
        assert one.finish() == ["done"]

        assert one.check().deaths == 1


@pytest.mark.parametrize("kind", HERE)
def test_no_storm_loses_a_recording_or_pays_for_one_twice(zygote, kind):
    assert storm(zygote, 3, kind).results == 2
