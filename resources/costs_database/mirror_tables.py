"""The tables mirrored into PostgreSQL: every mart, and one row per job."""

from dataclasses import dataclass

import duckdb

SCHEMA = "costs"
_KINDS = {
    "VARCHAR": "text",
    "DOUBLE": "double precision",
    "HUGEINT": "numeric(38,0)",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
# grain: a job; figures of its last counted attempt, cost of all attempts with boot and idle time
_JOB_METRICS = """
    WITH attempts AS (
        SELECT * FROM ledger.attempts WHERE backend <> 'none'
    ), last AS (
        SELECT * FROM attempts QUALIFY row_number() OVER (
            PARTITION BY tenant, job_id ORDER BY status = 'done' DESC, attempt DESC
        ) = 1
    ), together AS (
        SELECT tenant, job_id, count(*)::INTEGER AS attempts, min(queued_at) AS queued_at
        FROM attempts GROUP BY 1, 2
    ), money AS (
        SELECT tenant, job_id, sum(run_usd + boot_usd + idle_usd)::DECIMAL(38, 9) AS cost_usd
        FROM intermediate.int_attempt_charges WHERE job_id IS NOT NULL GROUP BY 1, 2
    ), boots AS (
        SELECT attempt_id, max(greatest(0, epoch(ready_at) - epoch(began_at))) AS cold_start_seconds
        FROM staging.stg_sessions WHERE sequence = 1 GROUP BY 1
    )
    SELECT last.job_id, last.tenant, last.backend, last.sku, last.model, last.recording,
           last.started_at::DATE AS day, last.audio_seconds, last.audio_bytes,
           last.started_at AS start_time, last.ended_at AS end_time,
           last.run_seconds AS processing_time_seconds,
           epoch(last.ended_at) - epoch(together.queued_at) AS total_latency_seconds,
           coalesce(boots.cold_start_seconds, 0) AS cold_start_seconds,
           last.rtf, coalesce(money.cost_usd, 0)::DECIMAL(38, 9) AS cost_usd,
           CASE WHEN last.audio_seconds > 0 THEN ledger.from_nano(ledger.half_even(
               ledger.to_nano(coalesce(money.cost_usd, 0)) * 3600000000,
               ledger.micros(last.audio_seconds)
           )) END AS cost_per_audio_hour,
           last.segments, last.status, last.error_type, last.worker AS worker_id,
           last.language, together.attempts
    FROM last JOIN together USING (tenant, job_id)
    LEFT JOIN money USING (tenant, job_id)
    LEFT JOIN boots ON boots.attempt_id = last.attempt_id
"""
_DAYS = {"cost_per_recording": "first_day"}  # tables with another name for `day`


@dataclass(frozen=True, slots=True)
class MirrorTable:
    """A mirrored table. query: its rows, in DuckDB. columns: names and PostgreSQL types.

    day: the column by which days are compared and sent; empty: the whole table.
    """

    name: str
    query: str
    columns: dict[str, str]
    day: str


def mirror_tables(connection: duckdb.DuckDBPyConnection) -> list[MirrorTable]:
    """The tables that the database has now."""
    names = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY 1"
    ).fetchall()
    queries = {name: f"SELECT * FROM marts.{name}" for (name,) in names}  # noqa: S608
    return [
        _table(connection, name, query)
        for name, query in (queries | {"job_metrics": _JOB_METRICS}).items()
    ]


def _table(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> MirrorTable:
    found = connection.execute(f"DESCRIBE {query}").fetchall()
    columns = {column: _KINDS.get(kind, kind.lower()) for column, kind, *_ in found}
    day = _DAYS.get(name, "day")
    return MirrorTable(name, query, columns, day if day in columns else "")
