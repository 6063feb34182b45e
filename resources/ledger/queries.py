"""Reading the ledger in the bucket, an append-only set of Parquet files, through DuckDB."""

from collections.abc import Collection
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from escriba.billing.price_periods import LONGEST_BOOT_SECONDS, LONGEST_RUN_SECONDS
from resources.storage.base import Storage, StoredObject

from .files import fetch_all, ledger_files
from .schema_faults import check_columns, damaged
from .tables import LEDGER_ATTEMPTS, LEDGER_INVOICES, LEDGER_SESSIONS, LedgerTable, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

# older files lack columns; the empty table adds them as NULL
_FILES = """
    SELECT * FROM no_{table} UNION ALL BY NAME
    SELECT * FROM read_parquet(getvariable('{table}_paths'), union_by_name = true,
                               hive_partitioning = false)
"""
_NO_FILES = "SELECT * FROM no_{table}"
_ATTEMPTS_TABLE = "CREATE TEMP TABLE attempts AS {source}"
# one row per worker session: its cost from the container's start to its end, as far as its jobs
# show. A worker that never had a job does not appear, and one that died with its last job had no
# idle time. Limits, concurrent jobs and frozen workers as in dbt_costs (stg_sessions,
# int_life_days); money at the recorded price, which the marts refine
INSTANCES = f"""
    WITH told AS (
        SELECT told.*, coalesce(models_ready_at, job_started_at) AS ready_at,
               coalesce(warm_workers, 0) > 0 OR idle_timeout_seconds = 0
                   OR instance_id IS NOT NULL AS is_endless,
               epoch(job_ended_at) - epoch(job_started_at) AS ran,
               coalesce(attempts.status IN ('lost', 'stopped'), false) AS died
        FROM ({{source}}) AS told LEFT JOIN attempts USING (attempt_id)
    ), jobs AS (
        SELECT *, epoch(job_started_at) AS since,
               epoch(job_started_at)
                   + CASE WHEN ran BETWEEN 0 AND {LONGEST_RUN_SECONDS} THEN ran ELSE 0 END AS until,
               CASE WHEN container_started_at IS NULL THEN job_started_at
                    WHEN epoch(ready_at) - epoch(container_started_at) > {LONGEST_BOOT_SECONDS}
                        THEN ready_at
                    ELSE container_started_at END AS began_at
        FROM told
    ), placed AS (
        SELECT *, coalesce(max(until) OVER before, 0) AS busy_until,
               epoch(greatest(first(began_at) OVER life, first(ready_at) OVER life)) AS could_begin
        FROM jobs WINDOW
            life AS (PARTITION BY session_id ORDER BY job_started_at, sequence, row_id),
            before AS (PARTITION BY session_id ORDER BY job_started_at, sequence, row_id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), waited AS (
        SELECT *, greatest(0, until - greatest(since, busy_until)) AS busy,
               greatest(0, since - greatest(could_begin, busy_until)) AS gap
        FROM placed
    ), lives AS (
        SELECT session_id, any_value(backend) AS backend, any_value(sku) AS sku,
               any_value(worker) AS worker, any_value(gpu) AS gpu, count(*)::INTEGER AS jobs,
               any_value(instance_id) AS instance_id, any_value(instance_type) AS instance_type,
               any_value(zone) AS zone, bool_or(is_spot) AS is_spot,
               coalesce(bool_or(is_free), false) AS is_free,
               arg_min(began_at, (sequence, row_id)) AS began_at,
               arg_min(ready_at, (sequence, row_id)) AS ready_at,
               max(job_ended_at) AS last_job_ended_at,
               sum(busy) AS busy_seconds,
               sum(CASE WHEN is_endless THEN gap ELSE least(gap, idle_timeout_seconds) END)
                   + CASE WHEN arg_max(died, (job_ended_at, sequence, row_id)) THEN 0
                          ELSE any_value(idle_timeout_seconds) END AS idle_seconds,
               arg_min(usd_per_hour, job_started_at) AS usd_per_hour
        FROM waited GROUP BY session_id
    ), parts AS (
        SELECT *, greatest(0, epoch(ready_at) - epoch(began_at)) AS boot_seconds FROM lives
    )
    SELECT session_id, backend, sku, worker, gpu, jobs, began_at, last_job_ended_at,
           boot_seconds, busy_seconds, idle_seconds,
           boot_seconds + busy_seconds + idle_seconds AS paid_seconds,
           instance_id, instance_type, zone, is_spot, is_free, usd_per_hour,
           CASE WHEN is_free THEN 0 ELSE (
               (boot_seconds + busy_seconds + idle_seconds)::DECIMAL(38, 6)
               * usd_per_hour::DECIMAL(38, 9) / 3600
           )::DECIMAL(18, 9) END AS cost_usd
    FROM parts
"""  # noqa: S608  # our own constants
_INSTANCES_TABLE = f"CREATE TEMP TABLE instances AS {INSTANCES}"


@dataclass(frozen=True)
class _Table:
    """One table of the connection, and the query that creates it."""

    name: str
    of: LedgerTable
    made_by: str


_TABLES = (
    _Table("attempts", LEDGER_ATTEMPTS, _ATTEMPTS_TABLE),
    _Table("instances", LEDGER_SESSIONS, _INSTANCES_TABLE),
)
_INVOICES = _Table("invoices", LEDGER_INVOICES, "CREATE TEMP TABLE invoices AS {source}")


@contextmanager
def open_ledger(
    storage: Storage,
    since: datetime | None = None,
    *,
    at_most_files: int | None = None,
    tables: Collection[str] = ("attempts", "instances"),
) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A DuckDB connection with these tables; `attempts` always exists.

    attempts: the current row of each attempt. instances: one row per worker session, with the
    billed seconds: boot, busy and idle; the row of its last attempt in `attempts` says whether the
    worker ended with it.

    since: read only files of attempts that started on that day (UTC) or later. at_most_files: only
    the newest files, for a sample.

    Raises:
        StorageError: a file of the ledger is damaged; names its key.
    """
    wanted = [one for one in _TABLES if one.name in {"attempts", *tables}]
    with _opened(storage, wanted, since, at_most_files) as connection:
        yield connection


@contextmanager
def open_invoices(storage: Storage) -> "Iterator[duckdb.DuckDBPyConnection]":
    """The same with `invoices` alone: the current row of each invoice line.

    Raises:
        StorageError: a file of the ledger is damaged; names its key.
    """
    with _opened(storage, [_INVOICES]) as connection:
        yield connection


@contextmanager
def _opened(
    storage: Storage,
    tables: "Collection[_Table]",
    since: datetime | None = None,
    at_most_files: int | None = None,
) -> "Iterator[duckdb.DuckDBPyConnection]":
    import duckdb  # noqa: PLC0415

    with TemporaryDirectory(prefix="escriba-ledger-") as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in tables:
            local = _local_files(storage, table.of.folder, Path(folder), since, at_most_files)
            keys = {str(path): key for path, key in local.items()}
            connection.register(f"no_{table.name}", schema(table.of.kind).empty_table())
            try:
                check_columns(connection, table.of, keys)
                _read_files(connection, table, list(local))
            except duckdb.Error as error:
                raise damaged(table.of, keys) from error
        yield connection


def lock_down(connection: "duckdb.DuckDBPyConnection") -> None:
    """From now on, queries reach only the ledger: no files, no network, no settings."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _read_files(connection: "duckdb.DuckDBPyConnection", table: _Table, paths: list[Path]) -> None:
    name = table.name
    connection.execute(f"SET VARIABLE {name}_paths = ?", [[str(path) for path in paths]])
    source = (_FILES if paths else _NO_FILES).format(table=name)
    connection.execute(table.made_by.format(source=table.of.latest(source)))


def _local_files(
    storage: Storage, table: str, folder: Path, since: datetime | None, at_most: int | None
) -> dict[Path, str]:
    """The downloaded files of a table, and their keys in the bucket."""
    after = f"{table}date={since.astimezone(UTC):%Y-%m-%d}" if since else ""

    def newest() -> list[StoredObject]:
        return ledger_files(storage, table, after)[::-1][:at_most]

    return fetch_all(storage, newest, folder)
