"""How attempts are gathered for machines: what a start costs them, and how long they wait for it.

`python -m bench.gathering [--quick] [--json]`. Jobs arrive as a night sends them (all within a
minute), as an inbox does (one every 10 s), and alone, one an hour. Their predicted runs are drawn
from lengths of a real archive: minutes to six hours, at an RTF of 0.2. Each rule decides when those
that wait leave, and the product's packing decides on which machines. Time is simulated.

start_share: the part of all paid seconds in which machines start. hold_s: the mean time that a job
waits for others.
"""

import random
from collections.abc import Callable, Sequence

from bench import report
from resources.gpu.batch_machines.gather_rules import GatherRules, hold_seconds
from resources.gpu.batch_machines.packing import packed

RULES = GatherRules(
    most_jobs=100,
    most_wait_seconds=20.0,
    most_machines=10,
    lease_limit_seconds=14_400,
    start_seconds=240.0,
    jobs_at_once=500,
)
RTF = 0.2
Hold = Callable[[Sequence[float]], float]
HOLDS: dict[str, Hold] = {
    "no waiting": lambda _: 0.0,
    "5 % of the work": lambda runs: hold_seconds(RULES, runs),
    "always 20 s": lambda runs: 20.0 if hold_seconds(RULES, runs) else 0.0,
}
SPACING_SECONDS = {"a night": 0.1, "an inbox": 10.0, "alone": 3_600.0}


def runs(count: int, dice: random.Random) -> list[float]:
    """Predicted runs of recordings: a median of 12 minutes, 1 % over three hours, at most six."""
    lengths = (min(max(dice.lognormvariate(6.6, 1.15), 60), 21_600) for _ in range(count))
    return [length * RTF for length in lengths]


def simulated(spacing: float, hold: Hold, work: Sequence[float]) -> tuple[float, float, int]:
    """The start share, the mean wait in seconds, and the number of machines."""
    waiting: list[float] = []
    since, held, machines = 0.0, 0.0, 0
    for number, run in enumerate(work):
        now = number * spacing
        if waiting and now >= since + hold(waiting):
            held += _held(waiting, since, spacing, since + hold(waiting))
            machines += len(packed(waiting, RULES, RULES.most_machines))
            waiting = []
        since = since if waiting else now
        waiting.append(run)
    if waiting:
        held += _held(waiting, since, spacing, since + hold(waiting))
        machines += len(packed(waiting, RULES, RULES.most_machines))
    start = machines * RULES.start_seconds
    return start / (start + sum(work)), held / len(work), machines


def _held(waiting: Sequence[float], since: float, spacing: float, leaves: float) -> float:
    """How long all of them together have waited."""
    leaves = max(leaves, since + (len(waiting) - 1) * spacing)
    return sum(leaves - since - n * spacing for n in range(len(waiting)))


def main() -> None:
    chosen = report.options(__doc__)
    work = runs(200 if chosen.quick else 2_000, random.Random(17))  # noqa: S311  # not for secrets
    rows, figures = [], {}
    for arrival, spacing in SPACING_SECONDS.items():
        for name, hold in HOLDS.items():
            share, held, machines = simulated(spacing, hold, work)
            rows.append((f"{arrival}, {name}", f"{share:.1%}", f"{held:.1f}", str(machines)))
            if name == "5 % of the work":
                key = arrival.rsplit(" ", maxsplit=1)[-1]
                figures[f"start_share_{key}"] = round(share, 4)
                figures[f"hold_s_{key}"] = round(held, 1)
    columns = ("arrival and rule", "start share", "mean wait, s", "machines")
    report.show("Gathering", columns, rows, figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
