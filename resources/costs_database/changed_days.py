"""The days (UTC) that a load changes: only those are built again."""

from typing import TYPE_CHECKING

from escriba.billing.price_periods import LONGEST_BOOT_SECONDS, LONGEST_RUN_SECONDS
from resources.ledger.tables import LEDGER_ATTEMPTS, LEDGER_INVOICES, LEDGER_TAGS, LedgerTable

if TYPE_CHECKING:
    import duckdb

# a period that ends at midnight does not touch the next day
_DAYS = "unnest(generate_series({start}::DATE, greatest({start}, {end} - to_microseconds(1))::DATE,"
_DAYS += " INTERVAL 1 DAY))::DATE"
_CHANGED = "(SELECT * FROM coming UNION ALL SELECT * FROM leaving)"
# a run that is billed by time costs something on each day that it covers; impossible times of wrong
# clocks are cut off
_RUN_DAYS = _DAYS.format(
    start="started_at",
    end=f"least(ended_at, started_at + INTERVAL {LONGEST_RUN_SECONDS} SECOND)",
)
_ATTEMPTS = f"SELECT {_RUN_DAYS} AS day FROM {_CHANGED}"  # noqa: S608  # our own words
# whether an attempt is a duplicate depends on the other attempts of its job
_SAME_JOBS = f"""(
    SELECT * FROM ledger.attempts
    WHERE (tenant, job_id) IN (SELECT tenant, job_id FROM {_CHANGED})
)"""  # noqa: S608
_INVOICES = f"SELECT {_DAYS.format(start='period_start', end='period_end')} AS day FROM {_CHANGED}"  # noqa: S608
# a worker session is one unit: another job in it changes the cost of its first day
_LIVES = f"""
    SELECT {_DAYS.format(start="began", end="ended")} AS day FROM (
        SELECT min(greatest(
                   coalesce(container_started_at, job_started_at),
                   coalesce(models_ready_at, job_started_at)
                       - INTERVAL {LONGEST_BOOT_SECONDS} SECOND)) AS began,
               max(least(job_ended_at, job_started_at + INTERVAL {LONGEST_RUN_SECONDS} SECOND)
                   + to_microseconds((idle_timeout_seconds * 1e6)::BIGINT)) AS ended
        FROM (SELECT * EXCLUDE (load_id) FROM ledger.sessions UNION ALL BY NAME {{leaving}})
        WHERE session_id IN ({{touched}}) GROUP BY session_id
    )
"""  # noqa: S608

_NOBODY = "SELECT * EXCLUDE (load_id) FROM ledger.sessions WHERE false"


def record_changed_days(
    connection: "duckdb.DuckDBPyConnection", table: LedgerTable, load_id: int
) -> None:
    """Record the days of new rows and of the rows that they replace.

    Records nothing before the first build, which builds all days.
    """
    if table is LEDGER_TAGS:  # the tables of tags are always built whole
        return
    [(is_built,)] = connection.execute("SELECT count(*) > 0 FROM ledger.built").fetchall()
    if not is_built:
        return
    days = " UNION ".join(_queries(table))
    connection.execute(f"INSERT INTO ledger.touched_days SELECT {load_id}, day FROM ({days})")  # noqa: S608


def _queries(table: LedgerTable) -> list[str]:
    if table is LEDGER_INVOICES:
        return [_INVOICES]
    if table is LEDGER_ATTEMPTS:
        ids = " UNION ".join(f"SELECT attempt_id FROM {of}" for of in (_CHANGED, _SAME_JOBS))  # noqa: S608
        lives = f"SELECT session_id FROM ledger.sessions WHERE attempt_id IN ({ids})"  # noqa: S608
        others = f"SELECT {_RUN_DAYS} AS day FROM {_SAME_JOBS}"  # noqa: S608
        return [_ATTEMPTS, others, _LIVES.format(leaving=_NOBODY, touched=lives)]
    lives = f"SELECT session_id FROM {_CHANGED}"  # noqa: S608
    return [_LIVES.format(leaving="SELECT * FROM leaving", touched=lives)]
