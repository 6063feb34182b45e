"""The ledger in the bucket: Parquet files that are only ever added, read through DuckDB."""

from collections.abc import Collection
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.billing.stretches import LONGEST_BOOT_SECONDS, LONGEST_RUN_SECONDS

from .ledger_faults import damaged, hold_columns
from .ledger_files import fetch_all, ledger_files
from .ledger_tables import LEDGER_ATTEMPTS, LEDGER_INVOICES, LEDGER_SESSIONS, LedgerTable
from .ledger_writer import schema
from .storage.base import Storage, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

# older files lack columns: those of the empty table are there all the same, and NULL
_FILES = """
    SELECT * FROM no_{table} UNION ALL BY NAME
    SELECT * FROM read_parquet(getvariable('{table}_paths'), union_by_name = true,
                               hive_partitioning = false)
"""
_NO_FILES = "SELECT * FROM no_{table}"
_ATTEMPTS_TABLE = "CREATE TEMP TABLE attempts AS {source}"
# a row for each worker's life: what it cost from its container's start to its end, as far as its
# jobs tell; a worker that never had a job is not seen here, and one that died with its last job
# did not wait for another. Bounds, jobs at the same time and frozen workers as in dbt_costs
# (stg_sessions, int_life_days); money at the price that was written down: the marts know better
INSTANCES = f"""
    WITH told AS (
        SELECT told.*, coalesce(models_ready_at, job_started_at) AS ready_at,
               coalesce(warm_workers, 0) > 0 OR idle_timeout_seconds = 0 AS is_endless,
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
           boot_seconds + busy_seconds + idle_seconds AS paid_seconds, usd_per_hour,
           ((boot_seconds + busy_seconds + idle_seconds)::DECIMAL(38, 6)
               * usd_per_hour::DECIMAL(38, 9) / 3600)::DECIMAL(18, 9) AS cost_usd
    FROM parts
"""  # noqa: S608  # our own numbers
_INSTANCES_TABLE = f"CREATE TEMP TABLE instances AS {INSTANCES}"


@dataclass(frozen=True)
class _Table:
    """One table of the connection and what it is made of."""

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
    """A DuckDB connection with these tables; `attempts` is always there.

    attempts: each attempt once, the last word on it. instances: each worker's life once, with
    the seconds that were paid for: boot, busy and idle; whether it ended with its last job is
    what `attempts` says of that one.

    since: only files of attempts that started on that day (UTC) or later are read; its rows
    begin with the day. at_most_files: the newest of them, for a sample.

    Raises:
        StorageError: a file of the ledger is damaged; names its key.
    """
    wanted = [one for one in _TABLES if one.name in {"attempts", *tables}]
    with _opened(storage, wanted, since, at_most_files) as connection:
        yield connection


@contextmanager
def open_invoices(storage: Storage) -> "Iterator[duckdb.DuckDBPyConnection]":
    """The same with `invoices` alone: the last word on each line of a bill.

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
                hold_columns(connection, table.of, keys)
                _read_files(connection, table, list(local))
            except duckdb.Error as error:
                raise damaged(table.of, keys) from error
        yield connection


def lock_in(connection: "duckdb.DuckDBPyConnection") -> None:
    """From here on a query reaches the ledger alone: no file, no network, no setting."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _read_files(connection: "duckdb.DuckDBPyConnection", table: _Table, paths: list[Path]) -> None:
    name = table.name
    connection.execute(f"SET VARIABLE {name}_paths = ?", [[str(path) for path in paths]])
    source = (_FILES if paths else _NO_FILES).format(table=name)
    connection.execute(table.made_by.format(source=table.of.latest(source)))


def _local_files(
    storage: Storage, table: str, folder: Path, since: datetime | None, at_most: int | None
) -> dict[Path, str]:
    """Each file of a table on this machine, and its key in the bucket."""
    after = f"{table}date={since.astimezone(UTC):%Y-%m-%d}" if since else ""

    def newest() -> list[Stored]:
        return ledger_files(storage, table, after)[::-1][:at_most]

    return fetch_all(storage, newest, folder)
