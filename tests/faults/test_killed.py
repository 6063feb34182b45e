"""An orchestrator gets SIGKILL before and after each of its steps; the next one continues."""

import pytest

from .lives import PLANS, killed_at_each_step


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_whenever_it_is_killed_all_is_done_and_paid_once(zygote, plan, after):
    lives = list(killed_at_each_step(zygote, plan, after=after))

    assert len(lives) >= 5
    assert sum(one.results for one in lives) == len(lives) * len(plan.recordings)
