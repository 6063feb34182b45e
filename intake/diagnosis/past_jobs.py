"""Findings about jobs that ended: slow, cold, failed and dear ones, from the ledger."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from escriba.backend_names import LOCAL, OPENAI
from resources.ledger.queries import open_ledger
from resources.storage.base import Storage

from .causes import failure_cause
from .findings import COLD_START_SECONDS, DEAR_USD, MOST_NAMED, SLOW_RTF, DeepFinding

if TYPE_CHECKING:
    import duckdb

_LONGEST_RUN = timedelta(days=2)  # an attempt that ended in the period began at most this earlier
_SLOW = f"""
    SELECT backend, sku, count(*), max(rtf), median(rtf),
           max_by(recording, rtf, {MOST_NAMED})
    FROM attempts WHERE status = 'done' AND rtf > ? AND ended_at >= ?
    GROUP BY backend, sku ORDER BY count(*) DESC, backend, sku
"""  # noqa: S608  # our own constant
_COLD = f"""
    SELECT instances.backend, instances.sku, count(*), max(boot_seconds), median(boot_seconds),
           max_by(first_job.recording, boot_seconds, {MOST_NAMED})
    FROM instances JOIN LATERAL (
        SELECT recording FROM attempts
        WHERE attempts.worker = instances.worker AND attempts.ended_at >= instances.began_at
              AND attempts.started_at <= instances.last_job_ended_at
        ORDER BY started_at LIMIT 1
    ) AS first_job ON true
    WHERE boot_seconds > ? AND last_job_ended_at >= ?
    GROUP BY instances.backend, instances.sku ORDER BY count(*) DESC, 1, 2
"""  # noqa: S608  # our own constant
_FAILED = f"""
    SELECT backend, coalesce(nullif(error_type, ''), status), count(*),
           count(*) / (SELECT count(*) FROM attempts AS every
                       WHERE every.backend = attempts.backend AND ended_at >= $since),
           max_by(recording, ended_at, {MOST_NAMED})
    FROM attempts WHERE status IN ('failed', 'lost', 'stopped', 'buried') AND ended_at >= $since
    GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2
"""  # noqa: S608  # our own constant
_DEAR = f"""
    WITH jobs AS (
        SELECT job_id, any_value(recording) AS recording, sum(cost_usd) AS usd,
               count(*) AS attempts, max(audio_seconds) / 3600 AS hours,
               max_by(backend, cost_usd) AS backend
        FROM attempts GROUP BY tenant, job_id HAVING max(ended_at) >= ? AND sum(cost_usd) > ?
    )
    SELECT backend, count(*), max(usd), sum(usd), max(attempts), max(hours),
           max_by(recording, usd, {MOST_NAMED})
    FROM jobs GROUP BY backend ORDER BY sum(usd) DESC, backend
"""  # noqa: S608  # our own constant


def past_findings(storage: Storage, since: datetime) -> Iterator[DeepFinding]:
    """What the ledger tells about attempts that ended since then.

    Raises:
        StorageError: a file of the ledger is damaged; names its key.
    """
    with open_ledger(storage, since - _LONGEST_RUN) as ledger:
        yield from _slow(ledger, since)
        yield from _cold(ledger, since)
        yield from _failed(ledger, since)
        yield from _dear(ledger, since)


def _slow(ledger: "duckdb.DuckDBPyConnection", since: datetime) -> Iterator[DeepFinding]:
    for backend, sku, count, worst, median, names in ledger.execute(
        _SLOW, [SLOW_RTF, since]
    ).fetchall():
        here = backend == LOCAL
        yield DeepFinding(
            code="slow_jobs",
            found=f"{count:,} jobs on {backend}/{sku} took over {SLOW_RTF} s for a second of audio "
            f"(median {median:.2f}, worst {worst:.2f})",
            count=count,
            recordings=_unique(names),
            cause="This machine's CPU is too slow for the model, or has other work."
            if here
            else "Its GPU is too small for the model, or is shared, or finds speakers as well.",
            command="MODEL=small in .env, or a backend with a GPU: escriba estimate"
            if here
            else "escriba costs --by backend, then a larger GPU (docs/backends.md)",
        )


def _cold(ledger: "duckdb.DuckDBPyConnection", since: datetime) -> Iterator[DeepFinding]:
    for backend, sku, count, worst, median, names in ledger.execute(
        _COLD, [COLD_START_SECONDS, since]
    ).fetchall():
        here = backend == LOCAL
        yield DeepFinding(
            code="cold_starts",
            found=f"{count:,} workers on {backend}/{sku} took over {COLD_START_SECONDS:.0f} s to "
            f"start (median {median:.0f} s, worst {worst:.0f} s)",
            count=count,
            recordings=_unique(names),
            cause="The model is loaded from a slow disk, or this machine has other work."
            if here
            else "No worker was warm: the image or the model is loaded for each new one.",
            command="escriba doctor (disk, model)"
            if here
            else "RUNPOD_WORKERS_MIN=1 in .env keeps one warm, which costs money all day"
            if backend == "runpod"
            else "MACHINE_GATHER_JOBS in .env: more jobs for each machine (docs/backends.md)",
        )


def _failed(ledger: "duckdb.DuckDBPyConnection", since: datetime) -> Iterator[DeepFinding]:
    for backend, kind, count, share, names in ledger.execute(_FAILED, {"since": since}).fetchall():
        cause, command = failure_cause(kind)
        yield DeepFinding(
            code="failures",
            found=f"{count:,} attempts on {backend} ended as {kind} ({share:.0%} of its attempts)",
            count=count,
            recordings=_unique(names),
            cause=cause,
            command=command,
        )


def _dear(ledger: "duckdb.DuckDBPyConnection", since: datetime) -> Iterator[DeepFinding]:
    for backend, count, worst, total, attempts, hours, names in ledger.execute(
        _DEAR, [since, DEAR_USD]
    ).fetchall():
        if attempts > 1:
            cause = f"Up to {attempts} attempts were paid for one job: see its failures."
            command = "escriba doctor --deep (failures), and MAX_ATTEMPTS in .env"
        elif backend == OPENAI:
            cause = "An API is paid for each minute of audio, also for silence."
            command = "PRIMARY_BACKEND in .env to a GPU: escriba estimate"
        else:
            cause = f"The recordings are long (up to {hours:.1f} h of audio)."
            command = "escriba estimate; a limit is DAILY_COST_THRESHOLD or `budget` of a tenant"
        yield DeepFinding(
            code="dear_jobs",
            found=f"{count:,} jobs on {backend} cost over {DEAR_USD} USD each (dearest "
            f"{worst:.2f} USD, together {total:.2f} USD)",
            count=count,
            recordings=_unique(names),
            cause=cause,
            command=command,
        )


def _unique(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
