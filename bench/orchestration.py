"""What orchestration costs for each file: a thousand tiny ones, with an immediate backend.

`python -m bench.orchestration [--quick] [--json]`. All writes to the bucket are in, the worker's
too: request, attempt, claim, result, records, transcripts, ledger. Beside one batched run on
PostgreSQL: the same on SQLite, the stages in a plain Python loop without Dagster, and what a user
of Dagster would write first, five assets and a run for each file in Dagster's default executor,
measured on a few. CPU seconds of the process and its children, the server of PostgreSQL apart.
"""

from bench import report
from bench.apart import measured

BAR_TIMES = 200
SIZES = {"postgres": (1_000, 300), "sqlite": (1_000, 200), "plain": (200, 100), "default": (5, 2)}
NAMES = {
    "postgres": "one batch run, PostgreSQL",
    "sqlite": "one batch run, SQLite",
    "plain": "plain Python, no Dagster",
    "default": "a run for each file, Dagster's default",
}


def main() -> None:
    chosen = report.options(__doc__)
    counts = {way: sizes[chosen.quick] for way, sizes in SIZES.items()}
    found = {way: measured("orchestration_ways", way, count) for way, count in counts.items()}
    cheapest = found["postgres"]["cpu_s"]
    rows = [
        (
            NAMES[way],
            counts[way],
            f"{figures['cpu_s']:.4f}",
            f"{figures['wall_s']:.4f}",
            f"{figures['server_cpu_s']:.4f}" if "server_cpu_s" in figures else "",
            f"{figures['cpu_s'] / cheapest:.1f}",
        )
        for way, figures in found.items()
    ]
    figures = {
        "cpu_s_per_file": round(cheapest, 5),
        "times_cheaper_than_default": round(found["default"]["cpu_s"] / cheapest, 1),
        "bar_times": BAR_TIMES,
        "server_cpu_s_per_file": round(found["postgres"]["server_cpu_s"], 5),
        "cpu_s_per_file_sqlite": round(found["sqlite"]["cpu_s"], 5),
        "cpu_s_per_file_plain": round(found["plain"]["cpu_s"], 5),
        "cpu_s_per_file_default": round(found["default"]["cpu_s"], 3),
        "files": counts["postgres"],
    }
    columns = ("way", "files", "CPU s a file", "wall s a file", "server CPU s", "times ours")
    report.show("Orchestration", columns, rows, figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
