"""Limits on money against the bill: random nights before the real gate, and before the old one.

`python -m bench.budget [--quick] [--json]`. Each night has its own seed: up to four machines that
share a bucket and have clocks of their own, jobs of seconds or of hours that take what they take,
and a provider that bills every second of its workers: boots, boots that no job needed, boots that
die, idle tails of up to five minutes, workers that are killed or cut off in the middle of a job.
Time is virtual; reservations, sums and settlements are the product's own.

passed_by_quotes_max: by how many of the night's largest quotes the bill of a day passed its limit.
used_median: of the limit, in nights in which not all jobs could be done within it.
"""

import statistics
from collections.abc import Iterable, Sequence

from bench import report
from bench.budget_nights import Night, plan_of, play

NIGHTS, QUICK_NIGHTS = 1_000, 40


def nights(seeds: Iterable[int], *, old: bool = False) -> list[Night]:
    """All of them, one after another."""
    return [play(plan_of(seed), old=old) for seed in seeds]


def figures(found: Sequence[Night]) -> dict[str, float]:
    """What they come to."""
    used = [one.used for one in found if one.used is not None]
    return {
        "passed_by_quotes_max": round(max(one.passed_by_quotes for one in found), 2),
        "nights_passed": sum(one.passed_by_quotes > 0 for one in found),
        "nights_not_done": len(used),
        "used_median": round(statistics.median(used), 3) if used else 0.0,
        "jobs_done": sum(one.done for one in found),
        "workers": sum(one.lives for one in found),
        "workers_in_vain": sum(one.vain for one in found),
    }


def main() -> None:
    chosen = report.options(__doc__)
    seeds = range(QUICK_NIGHTS if chosen.quick else NIGHTS)
    ours, old = figures(nights(seeds)), figures(nights(seeds, old=True))
    columns = ("gate", "nights", *(name.replace("_", " ") for name in ours))
    rows = [
        (name, len(seeds), *of.values()) for name, of in (("ours", ours), ("the old rule", old))
    ]
    beside = {f"old_{name}": value for name, value in old.items()}
    told = ours | beside | {"nights": len(seeds)}
    report.show("Limits", columns, rows, told, as_json=chosen.json)


if __name__ == "__main__":
    main()
