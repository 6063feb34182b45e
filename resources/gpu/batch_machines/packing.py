"""Packing: which jobs share a machine, and in which order; a pure function."""

from collections.abc import Sequence

from .gather_rules import GatherRules

Manifest = tuple[int, ...]  # indexes of jobs


def packed(run_seconds: Sequence[float], rules: GatherRules, machines: int) -> list[Manifest]:
    """Manifests for jobs with such predicted runs; each job is in one of them.

    As many machines as have a full lease each, at most `machines`, and more only where a lease
    would pass its limit: the longest job goes first, always to the machine with the least work, and
    manifests in which a start would be over 5 % are united as long as that fits. A job over the
    limit gets a machine of its own. Within a manifest the shortest jobs go first: most of them are
    done when a spot machine goes, and the last one starts as early as it can.
    """
    limit = rules.most_work_seconds
    alone = [(i,) for i, seconds in enumerate(run_seconds) if seconds > limit]
    shared = [i for i, seconds in enumerate(run_seconds) if seconds <= limit]
    work = sum(run_seconds[i] for i in shared)
    count = max(1, min(machines, int(work // max(rules.full_seconds, 1.0))))
    while (spread := _spread(shared, run_seconds, count, limit)) is None:
        count += 1
    united = _united(spread, run_seconds, rules.full_seconds, limit)
    return [*alone, *(tuple(sorted(one, key=lambda i: run_seconds[i])) for one in united)]


def _spread(
    jobs: Sequence[int], run_seconds: Sequence[float], count: int, limit: float
) -> list[list[int]] | None:
    """The jobs on so many machines, longest first; None if they do not fit."""
    machines: list[list[int]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for job in sorted(jobs, key=lambda i: -run_seconds[i]):
        least = loads.index(min(loads))
        if loads[least] + run_seconds[job] > limit:
            return None
        machines[least].append(job)
        loads[least] += run_seconds[job]
    return [one for one in machines if one]


def _united(
    machines: list[list[int]], run_seconds: Sequence[float], full: float, limit: float
) -> list[list[int]]:
    """Unite the two machines with the least work while one is not full and both fit into one."""

    def load(jobs: list[int]) -> float:
        return sum(run_seconds[i] for i in jobs)

    machines = sorted(machines, key=load)
    while len(machines) > 1:
        first, second, *others = machines
        if load(first) >= full or load(first) + load(second) > limit:
            break
        machines = sorted([first + second, *others], key=load)
    return machines
