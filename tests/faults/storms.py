"""Lives in which everything goes wrong at once, as one seed has it."""

import random

from .lives import FAULTS, TWO, told, world

VERBS = ("run", "status", "health", "cancel")


def storm(zygote, seed):
    """The figures of one such life; whatever happens in it, the last run finds all well again."""
    dice = random.Random(seed)
    with told(f"storm {seed}"), world(zygote, TWO) as one:
        _trouble(one.provider, dice)
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


def _trouble(provider, dice):
    """What goes wrong with the provider and its workers."""
    for verb in VERBS:
        names = [name for name in FAULTS if FAULTS[name].how != "hold"]
        faults = [FAULTS[dice.choice(names)] if dice.random() < 0.2 else None for _ in range(30)]
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
    """Of one orchestrator."""
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
