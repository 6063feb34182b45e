"""The mirror in a real PostgreSQL: equal, told once, and whole after any death."""

import random
import signal
import subprocess
import sys
from datetime import timedelta

import psycopg2
import pytest

from escriba.settings import HOUSE
from resources.costs_database.database_file import CostsNotBuiltError
from resources.costs_database.mirror_tables import mirror_tables
from resources.costs_database.postgres_mirror import MirrorError, mirror_costs
from resources.costs_database.read_only import read_only


def in_postgres(url, query):
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.execute(query)
            return cursor.fetchall()
    finally:
        connection.close()


def mirrored(url, database):
    """Every table there and here, in an order of its own."""
    there, here = {}, {}
    with read_only(database) as costs:
        for table in mirror_tables(costs):
            columns = ", ".join(f'"{name}"' for name in table.columns)
            query = f"SELECT {columns} FROM {{}}"
            there[table.name] = in_postgres(url, query.format(f"costs.{table.name}"))
            here[table.name] = costs.execute(query.format(f"({table.query})")).fetchall()
    return _sorted(there), _sorted(here)


def _sorted(tables):
    return {name: sorted(rows, key=str) for name, rows in tables.items()}


def test_the_mirror_has_every_row_of_every_mart(built, postgres_url):
    done = mirror_costs(built.settings.costs_database, postgres_url)

    there, here = mirrored(postgres_url, built.settings.costs_database)
    assert there == here
    assert "daily_spend" in there
    assert done.rows == sum(map(len, here.values()))


def test_mirrored_again_nothing_is_sent(built, postgres_url):
    mirror_costs(built.settings.costs_database, postgres_url)

    assert mirror_costs(built.settings.costs_database, postgres_url).rows == 0


def test_a_job_is_a_row_with_what_all_its_attempts_cost(built, postgres_url):
    """c failed for 10 s, and was done in 40 s; b was the second job of its life; a booted 60 s."""
    mirror_costs(built.settings.costs_database, postgres_url)

    found = in_postgres(
        postgres_url,
        "SELECT job_id, tenant, status, attempts, processing_time_seconds, cold_start_seconds, "
        "cost_usd::text, cost_per_audio_hour::text, worker_id, language, segments "
        "FROM costs.job_metrics WHERE job_id IN ('a', 'b', 'c') ORDER BY 1",
    )
    assert found == [
        ("a", "acme", "done", 1, 100, 60, "0.022325000", "0.133950000", "w1", "pt", 120),
        ("b", "beta", "done", 1, 300, 0, "0.066975000", "0.401850000", "w1", "en", 120),
        ("c", "acme", "done", 2, 40, 0, "0.009500000", "0.057000000", "w1", "pt", 120),
    ]


def test_only_days_that_changed_are_sent(costs, attempt, day, postgres_url):
    costs.write(attempt("a"), attempt("b", started_at=day + timedelta(days=1)))
    costs.load()
    costs.build(checks=False)
    mirror_costs(costs.settings.costs_database, postgres_url)
    costs.write(attempt("c", started_at=day + timedelta(days=1, hours=1)))
    costs.load()
    costs.build(checks=False)
    before = in_postgres(postgres_url, "SELECT xmin::text FROM costs.job_metrics WHERE job_id='a'")

    mirror_costs(costs.settings.costs_database, postgres_url)

    there, here = mirrored(postgres_url, costs.settings.costs_database)
    assert there == here
    assert (
        in_postgres(postgres_url, "SELECT xmin::text FROM costs.job_metrics WHERE job_id='a'")
        == before
    )


def test_a_table_of_another_shape_is_made_anew(built, postgres_url):
    connection = psycopg2.connect(postgres_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA costs; CREATE TABLE costs.job_metrics (job_id int)")
    connection.close()

    mirror_costs(built.settings.costs_database, postgres_url)

    there, here = mirrored(postgres_url, built.settings.costs_database)
    assert there == here


def test_what_is_wrong_names_the_setting_and_no_password(built, costs, postgres_url):
    with pytest.raises(MirrorError, match="COSTS_POSTGRES_URL") as caught:
        mirror_costs(built.settings.costs_database, "postgresql://u:hunter2@127.0.0.1:9/x")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(CostsNotBuiltError):
        mirror_costs(costs.settings.costs_database, postgres_url)


@pytest.mark.parametrize(
    "url",
    [
        "u:hunter2@127.0.0.1:1/x",
        "mysql://u:hunter2@127.0.0.1/x",
        "postgresql+psycopg2://u:hunter2@127.0.0.1/x",
        "postgresql://u:hun@ter2@127.0.0.1:9/x",
        "postgresql://u:hunter2%zz@127.0.0.1:9/x",
        "postgresql://u:hunter2/3@127.0.0.1:9/x",
    ],
)
def test_an_address_that_is_none_is_not_repeated(built, url):
    with pytest.raises(MirrorError, match="COSTS_POSTGRES_URL") as caught:
        mirror_costs(built.settings.costs_database, url)
    assert "ter2" not in str(caught.value)


def run_killed(step, database, url):
    """A mirroring in a process that kills itself at this step; its output."""
    command = [sys.executable, str(HOUSE / "tests" / "costs_killed.py"), str(step), "mirror"]
    return subprocess.run(
        [*command, str(database), url],
        capture_output=True,
        text=True,
        check=False,
        cwd=HOUSE,
        env={"PYTHONPATH": str(HOUSE), "PATH": "/usr/bin:/bin"},
    )


def test_killed_at_any_step_it_is_as_before_and_the_next_one_is_whole(
    costs, rows, bills_of_the_day, new_database
):
    costs.write(*rows[0])
    costs.load()
    costs.build(checks=False)
    database, url, other = costs.settings.costs_database, new_database(), new_database()
    mirror_costs(database, url)
    mirror_costs(database, other)
    before, _ = mirrored(url, database)
    costs.write(*rows[1], *rows[2], *bills_of_the_day)
    costs.load()
    costs.build(checks=False)
    steps = int(run_killed(0, database, other).stdout.split()[-1])
    assert steps > 100

    for step in sorted(random.Random(6).sample(range(1, steps), 4)):
        done = run_killed(step, database, url)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        there, here = mirrored(url, database)
        assert there in (before, here), step

    mirror_costs(database, url)
    there, here = mirrored(url, database)
    assert there == here
