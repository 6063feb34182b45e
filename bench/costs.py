"""What a cost figure is worth, and what it costs to have one: truth, builds, questions.

`python -m bench.costs [--quick] [--sizes 1,10] [--json]`. First a simulated fleet of which every
dollar is known, through the ledger and the marts: how far off each recording is charged, and what
of lives above five minutes nothing explains. Then years of a larger fleet, in millions of attempts:
building all marts, building one new day on top, the memory of both, and the twenty questions of
docs/costs.md. Beside it the raw table of attempts in PostgreSQL, with indices, asked the same words
as DuckDB (bench/costs_questions.py). dbt's own start, imports and parsing, is told apart.
"""

import tempfile
from pathlib import Path

from bench import report
from bench.apart import measured
from bench.simulated_ledger import plan_of, write_all

DAYS = 365
MILLION = 1_000_000
POSTGRES_UP_TO = 10  # millions of attempts
FIGURES = (
    ("load all, s", "load_s", "{:.0f}"),
    ("build all, s", "full_build_s", "{:.1f}"),
    ("load one day more, s", "day_load_s", "{:.1f}"),
    ("build it, s", "day_build_s", "{:.2f}"),
    ("of the full build", "incremental_share", "{:.1%}"),
    ("dbt's own start, s", "dbt_start_s", "{:.1f}"),
    ("peak memory, MB", "peak_rss_mb", "{:.0f}"),
    ("the twenty questions, p95, ms", "query_p95_ms", "{:.0f}"),
    ("raw questions, p95, ms", "raw_p95_ms", "{:.0f}"),
    ("the same in PostgreSQL, ms", "postgres_p95_ms", "{:.0f}"),
    ("time of PostgreSQL's", "query_ratio_to_postgres", "{:.3f}"),
)


def of_size(millions: float) -> dict[str, float]:
    """A year in which so many attempts were made, but for its last day; then that day."""
    attempts = int(millions * MILLION)
    with tempfile.TemporaryDirectory() as folder:
        bucket, plan = Path(folder, "bucket"), plan_of(attempts, DAYS)
        write_all(plan, bucket, leave_out=1)
        postgres = "postgres" if millions <= POSTGRES_UP_TO else "alone"
        return measured("costs_ways", "size", folder, attempts, DAYS, postgres, quiet=False)


def rows_of(sizes: dict[float, dict[str, float]]) -> list[tuple[str, ...]]:
    """A line for each figure, a column for each size."""
    return [
        (name, *(shown.format(found[key]) if key in found else "" for found in sizes.values()))
        for name, key, shown in FIGURES
    ]


def main() -> None:
    options = report.parser(__doc__)
    options.add_argument("--sizes", default="", help="millions of attempts, such as 1,10,50")
    chosen = options.parse_args()
    wanted = chosen.sizes or ("0.2" if chosen.quick else "1,10")
    truth = measured("costs_ways", "truth", 10 if chosen.quick else 60, quiet=False)
    sizes = {float(size): of_size(float(size)) for size in wanted.split(",")}
    columns = ("a year of", *(f"{size:g} million" for size in sizes))
    told = {f"of_{size:g}_million": found for size, found in sizes.items()}
    largest = sizes[max(sizes)]
    report.show(
        f"What costs cost; charged within {100 * truth['allocation_error_p95']:.2f} % (p95), "
        f"{100 * truth['unexplained_share']:.2f} % unexplained",
        columns,
        rows_of(sizes),
        truth | largest | told,
        as_json=chosen.json,
    )


if __name__ == "__main__":
    main()
