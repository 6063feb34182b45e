"""What breaks, and what it costs: computations beside one for each result and each dead worker.

`python -m bench.faults [--quick] [--json]`. The fault suite's lives: an orchestrator, a process of
its own with the real engine, the real client and a bucket, is killed before and after each of its
steps, its workers at each of theirs, each request to the provider goes wrong in each way, and
storms in which all of that happens at once. Beside them schedules of the protocol's model, with
the engine's own judge. Time is virtual. A life that breaks a promise ends the bench with its name.

doubles: computations beside one for each result and each death. losses: recordings without a
result. orphans: jobs that the provider still has. wasted_gpu_s_per_death: of jobs of 90 s.
"""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import report
from tests.backends import test_model as model
from tests.faults import lives
from tests.faults.storms import VERBS, storm
from tests.faults.world import Figures
from tests.faults.zygote import Zygote

QUICK = ("run", "stop while running")


def all_lives(zygote: Zygote, *, quick: bool) -> Iterator[tuple[str, Iterator[Figures]]]:
    """By what is done to them; each is one fault at one place."""
    for after in (False, True):
        when = "after" if after else "before"
        for name in QUICK if quick else lives.PLANS:
            plan = lives.PLANS[name]
            yield f"{name}: SIGKILL {when}", lives.killed_at_each_step(zygote, plan, after=after)
        yield f"worker: SIGKILL {when}", lives.worker_killed_at_each_step(zygote, after=after)
    for verb, fault in itertools.product(VERBS[:1] if quick else VERBS, lives.FAULTS):
        yield f"{verb}: {fault}", lives.disturbed(zygote, verb, fault)
    yield "storm", (storm(zygote, seed) for seed in range(20 if quick else 300))


def main() -> None:
    chosen = report.options(__doc__)
    found: dict[str, list[Figures]] = {}
    with tempfile.TemporaryDirectory() as folder, Zygote(Path(folder)) as zygote:
        for name, figures in all_lives(zygote, quick=chosen.quick):
            found[name] = list(figures)
    schedules = 2_000 if chosen.quick else model.SCHEDULES
    modelled = model.found(schedules)
    every = [one for of_name in found.values() for one in of_name]
    deaths = sum(one.deaths for one in every)
    figures = {
        "faults": len(found),
        "runs": len(every),
        "schedules": schedules,
        "doubles": sum(one.doubles for one in every) + modelled["paid_twice"],
        "losses": sum(one.losses for one in every) + modelled["lost"],
        "orphans": sum(one.orphans for one in every),
        "deaths": deaths,
        "wasted_gpu_s_per_death": round(sum(one.wasted_gpu_seconds for one in every) / deaths, 1),
    }
    rows = [row(name, of_name) for name, of_name in found.items()]
    columns = ("what breaks", "runs", "computations", "deaths", "doubles", "losses", "GPU s wasted")
    report.show("Paid once", columns, rows, figures, as_json=chosen.json)


def row(name: str, of_name: list[Figures]) -> tuple[str, ...]:
    """One fault at all its places, as it is read."""
    names = ("computations", "deaths", "doubles", "losses", "wasted_gpu_seconds")
    sums = (sum(getattr(one, each) for one in of_name) for each in names)
    return (name, str(len(of_name)), *(f"{each:.0f}" for each in sums))


if __name__ == "__main__":
    main()
