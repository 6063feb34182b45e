"""What breaks, and what it costs: computations beside one for each result and each dead worker.

`python -m bench.faults [--backend NAME] [--quick] [--json]`. The fault suite's lives: an
orchestrator, a process of its own with the real engine, the real client and a bucket, is killed
before and after each of its steps, its workers at each of theirs, each request to the provider goes
wrong in each way, and storms in which all of that happens at once. The provider is a queue of
single jobs (runpod), or a batch service whose machines process manifests (aws_gpu and gcp_gpu
share that code). Beside them schedules of the protocol's model, with the engine's own judge. Time
is virtual. A life that breaks a promise ends the bench with its name.

doubles: computations beside one for each result and each death. losses: recordings without a
result. orphans: jobs that the provider still has, or workers that outlive their orchestrator.
bought_again: pieces paid twice, as they were in flight at a death or their answer was lost;
bought_twice: those that were not. wasted_gpu_s_per_death: of jobs of 90 s.
"""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import report
from escriba.backend_names import AWS_GPU, GCP_GPU, LOCAL, OPENAI, PYANNOTE_AI, RUNPOD
from tests.faults import backends as faults
from tests.faults import lives
from tests.faults.storms import storm
from tests.faults.world import Figures
from tests.faults.zygote import Zygote
from tests.resources.gpu import test_model as model

QUICK = ("run", "stop while running")
KINDS = {
    RUNPOD: faults.RUNPOD,
    AWS_GPU: faults.MACHINES,
    GCP_GPU: faults.MACHINES,
    LOCAL: faults.LOCAL,
    OPENAI: faults.OPENAI,
    PYANNOTE_AI: faults.PYANNOTE_AI,
}
QUICK_EVERY = 8  # of an orchestrator's steps, where each life starts processes of its own
QUICK_STORMS, STORMS = 6, 300


def all_lives(zygote: Zygote, kind: str, *, quick: bool) -> Iterator[tuple[str, Iterator[Figures]]]:
    """By what is done to them; each is one fault at one place."""
    every = QUICK_EVERY if quick and kind in faults.HERE else 1
    for after in (False, True):
        when = "after" if after else "before"
        for name in QUICK if quick else lives.PLANS:
            plan = lives.PLANS[name]
            yield (
                f"{name}: SIGKILL {when}",
                lives.killed_at_each_step(zygote, plan, after=after, kind=kind, every=every),
            )
        yield (
            f"worker: SIGKILL {when}",
            lives.worker_killed_at_each_step(zygote, after=after, kind=kind),
        )
    verbs = lives.verbs_of(kind)
    for verb, fault in itertools.product(verbs[:1] if quick else verbs, lives.faults_of(kind)):
        yield f"{verb}: {fault}", lives.disturbed(zygote, verb, fault, kind)
    most = QUICK_STORMS if quick else STORMS
    yield "storm", (storm(zygote, seed, kind) for seed in range(most))


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--backend", choices=KINDS, default=RUNPOD)
    chosen = parser.parse_args()
    found: dict[str, list[Figures]] = {}
    with tempfile.TemporaryDirectory() as folder, Zygote(Path(folder)) as zygote:
        for name, figures in all_lives(zygote, KINDS[chosen.backend], quick=chosen.quick):
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
        "bought_again": sum(one.bought_again for one in every),
        "bought_twice": sum(one.bought_twice for one in every),
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
