"""Random nights before the gate: no bill passes a limit by more than one quote."""

import statistics

from bench.budget_nights import plan_of, play

SEEDS = range(40)


def test_no_bill_passes_a_limit_by_more_than_a_quote_and_most_of_the_limit_is_used():
    """Boots that no job needed, idle tails, kills, machines that die and share a bucket."""
    nights = [play(plan_of(seed)) for seed in SEEDS]

    assert max(night.passed_by_quotes for night in nights) <= 1
    used = [night.used for night in nights if night.used is not None]
    assert len(used) > 5
    assert statistics.median(used) > 0.5
    assert sum(night.vain for night in nights) > 50  # workers that were not seen


def test_the_rule_that_was_before_is_noticed():
    nights = [play(plan_of(seed), old=True) for seed in SEEDS]

    assert max(night.passed_by_quotes for night in nights) > 5


def test_a_night_is_the_same_each_time():
    assert play(plan_of(3)) == play(plan_of(3))
