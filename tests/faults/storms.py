"""Runs in which many things fail concurrently, chosen by one seed."""

import random

from .backends import RUNPOD
from .lives import TWO, faults_of, verbs_of, with_note, world


def storm(zygote, seed, kind=RUNPOD):
    """The figures of one such run; whatever fails in it, the last run completes everything."""
    dice = random.Random(seed)
    with with_note(f"storm {seed}"), world(zygote, TWO, kind) as one:
        _trouble(one.provider, dice, kind)
        running = [one.start(**_life(dice, n)) for n in range(dice.choice([1, 1, 2]))]
        running += [
            one.start(**_life(dice, 10 + n), begins_after=dice.uniform(0, 900))
            for n in range(dice.randint(0, 3))
        ]
        for each in running:
            each.outcome()
        one.provider.faults.clear()
        one.provider.lives.clear()
        assert one.finish(seed=seed, max_attempts=100) == ["done", "done"]
        return one.check()


def _trouble(provider, dice, kind):
    """The failures of the provider and its workers."""
    by_name = faults_of(kind)
    for verb in verbs_of(kind):
        names = [name for name in by_name if getattr(by_name[name], "how", "") != "hold"]
        faults = [by_name[dice.choice(names)] if dice.random() < 0.2 else None for _ in range(30)]
        provider.faults[verb].extend(faults)
    if dice.random() < 0.3:
        provider.outage(dice.uniform(0, 300), dice.choice([60, 600]))
    provider.lives = [_worker(dice) for _ in range(12)]


def _worker(dice):
    life = {"waits": dice.choice([1, 20, 20, 300, 4_000]), "elsewhere": dice.random() < 0.7}
    life |= {"skew_seconds": dice.choice([0, -600, 600]), "slow": dice.choice([1, 1, 10])}
    kind = dice.choice(["well", "well", "step", "dies", "cut off", "twice", "lost", "untold"])
    since = dice.uniform(0, 90)
    return (
        life
        | {
            "well": {},
            "step": {"dies_at": dice.randint(1, 12), "after": dice.random() < 0.5},
            "dies": {"lives_seconds": dice.uniform(1, 89)},
            "cut off": {"cut_off": (since, since + dice.choice([60, 200, 1_000]))},
            "twice": {"times": 2},
            "lost": {"lost": dice.choice(["before", "during"])},
            "untold": {"untold": True},
        }[kind]
    )


def _life(dice, seed):
    """The failures of one orchestrator."""
    life = {"seed": seed, "elsewhere": dice.random() < 0.3, "max_attempts": 100}
    life |= {"skew_seconds": dice.choice([0, 0, -600, 600]), "lag_seconds": dice.choice([0, 4])}
    if dice.random() < 0.2:
        return life | {"work": "reconcile"}
    end = dice.choice(["well", "killed", "killed", "stopped"])
    return (
        life
        | {
            "well": {},
            "killed": {"dies_at": dice.randint(1, 90), "after": dice.random() < 0.5},
            "stopped": {"stops_after": dice.uniform(5, 300)},
        }[end]
    )
