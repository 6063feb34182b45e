"""What bench.costs measures, each in a process of its own: the truth, or one size."""

import functools
import json
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.costs_postgres import in_postgres
from bench.costs_questions import RAW
from bench.costs_truth import CHARGED, EXPLAINED, allocation_errors, quantile, unexplained
from bench.simulated_ledger import plan_of, write_days
from cli.demo.simulation.fleet import simulate
from cli.demo.simulation.plan import SimulationPlan
from cli.demo.simulation.prices import with_changes
from escriba.billing.price_book import read_price_book
from escriba.billing.price_csv import book_csv
from escriba.settings import HOUSE, Settings, load_settings
from resources.costs_database.build_marts import build_marts
from resources.costs_database.load_ledger import load_ledger
from resources.costs_database.locked_queries import open_for_queries
from resources.costs_database.read_only import read_only
from resources.ledger.writer import write_rows
from resources.storage import open_storage

FIRST_DAY, A_DAY = date(2026, 3, 1), 150
REPEATS, MB = 5, 1024
_SQL = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)


def settings_in(folder: Path, **changes: object) -> Settings:
    """A bucket and a costs database of their own."""
    fixed = {"storage_url": (folder / "bucket").as_uri(), "costs_database": folder / "costs.duckdb"}
    return load_settings(**fixed, **changes)


def truth(days: int) -> dict[str, float]:
    """Two prices, an outage, an archive that arrives in one day; the error of the marts."""
    shipped = read_price_book(HOUSE / "dbt_costs" / "seeds" / "price_book.csv")
    dearer = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=days / 2)
    book = with_changes(shipped, [("runpod", "l4", dearer, Decimal("1.25"))])
    plan = SimulationPlan(6, FIRST_DAY, days, A_DAY, book, outage=days // 2 + 2, anomaly=days - 3)
    fleet = simulate(plan)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "book.csv").write_text(book_csv(book), encoding="utf-8")
        settings = settings_in(folder, price_book=folder / "book.csv")
        storage = open_storage(settings)
        write_rows(storage, [*fleet.attempts, *fleet.sessions, *fleet.invoices])
        load_ledger(storage, settings.costs_database, {})
        build_marts(settings, full=True)
        with read_only(settings.costs_database) as costs:
            errors = allocation_errors(fleet, dict(costs.execute(CHARGED).fetchall()))
            share, lives = unexplained(fleet, dict(costs.execute(EXPLAINED).fetchall()))
    return {
        "allocation_error_p95": float(quantile(errors, 0.95)),
        "allocation_error_max": float(errors[-1]),
        "unexplained_share": float(share),
        "recordings": len(fleet.truth.recordings),
        "long_lives": lives,
    }


def size(folder: Path, attempts: int, days: int, *, postgres: bool) -> dict[str, float]:
    """Load, build, one day more, questions; seconds, and the largest memory of any process."""
    settings = settings_in(folder)
    storage = open_storage(settings)
    plan = plan_of(attempts, days)
    the_next_day = plan.start + timedelta(days=days)
    build = functools.partial(build_marts, settings, checks=False, as_of=the_next_day)
    load_s, _ = timed(lambda: load_ledger(storage, settings.costs_database, {}))
    full_wall_s, full = timed(lambda: build(full=True))
    write_days(plan, range(days - 1, days), folder / "bucket")
    day_load_s, _ = timed(lambda: load_ledger(storage, settings.costs_database, {}))
    _, day = timed(build)
    found = {
        "load_s": load_s,
        "full_build_s": full.seconds,
        "dbt_start_s": full_wall_s - full.seconds,
        "day_load_s": day_load_s,
        "day_build_s": day.seconds,
        "incremental_share": day.seconds / full.seconds,
    }
    with open_for_queries(settings.costs_database) as costs:
        rows = costs.execute("SELECT count(*) FROM attempts").fetchall()[0][0]
        found |= {"attempts": rows, "query_p95_ms": p95(asked(costs, twenty()))}
        raw = asked(costs, RAW)
    found |= {"raw_p95_ms": p95(raw), "peak_rss_mb": peak_mb()}
    if postgres:
        with in_postgres(settings.costs_database, folder) as cursor:
            theirs = asked(cursor, RAW)
        ratios = [statistics.median(raw[q]) / statistics.median(theirs[q]) for q in RAW]
        found["postgres_p95_ms"] = p95(theirs)
        found["query_ratio_to_postgres"] = statistics.geometric_mean(ratios)
    return found


def peak_mb() -> float:
    """The largest memory of this process, or of any that it waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / MB


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall seconds, and what came of it."""
    since = time.perf_counter()
    made = work()
    return time.perf_counter() - since, made


def twenty() -> dict[str, str]:
    """The questions of docs/costs.md."""
    found = _SQL.findall((HOUSE / "docs" / "costs.md").read_text(encoding="utf-8"))
    return {str(number): text for number, text in enumerate(found, start=1)}


def asked(connection: Any, questions: dict[str, str]) -> dict[str, list[float]]:  # noqa: ANN401  # of DuckDB, or a cursor of psycopg2
    """Milliseconds of each, some times in a row, until the last row is here."""
    found: dict[str, list[float]] = {}
    for name, text in questions.items():
        for _ in range(REPEATS):
            since = time.perf_counter()
            connection.execute(text)
            connection.fetchall()
            found.setdefault(name, []).append(1000 * (time.perf_counter() - since))
    return found


def p95(of_questions: dict[str, list[float]]) -> float:
    """Over all of them and all repeats."""
    every = sorted(each for times in of_questions.values() for each in times)
    return every[int(0.95 * len(every))]


def main(way: str, *arguments: str) -> None:
    if way == "truth":
        found = truth(int(arguments[0]))
    else:
        folder, attempts, days, beside = arguments
        found = size(Path(folder), int(attempts), int(days), postgres=beside == "postgres")
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
