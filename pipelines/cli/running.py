"""Runs recordings through Dagster in this process, without a daemon: a run for each batch."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipelines.dagster_home import dagster_home
from pipelines.recordings import Recording
from pipelines.settings import Settings, SettingsError

from .bars import Bars, Gathered, JsonLines
from .fetching import ready_models

if TYPE_CHECKING:
    import dagster as dg

_INTERRUPTED = 130  # as shells tell of Ctrl-C
_DEFERRED = 3


@dataclass(frozen=True)
class Ran:
    """What came of a run; `broken_by` where it ended before every recording had its outcome."""

    progress: Gathered
    broken_by: str = ""

    @property
    def exit_status(self) -> int:
        """0 all is well, 1 some failed, 2 could not start, 3 some deferred, 130 interrupted."""
        if self.broken_by:
            return _INTERRUPTED if "Interrupt" in self.broken_by else 2
        outcomes = self.progress.outcomes
        failed = [o.failed for o in outcomes if o.failed is not None and not o.is_deferred]
        if failed and all(failure.is_ours for failure in failed):
            return 2
        if failed:
            return 1
        return _DEFERRED if any(outcome.is_deferred for outcome in outcomes) else 0


def run_recordings(
    settings: Settings,
    recordings: Sequence[Recording],
    console: Console,
    *,
    retry: bool = False,
    quiet: bool = False,
) -> Ran:
    """Take the recordings through all stages, in runs of BATCH_SIZE.

    Raises:
        BackendUnavailableError: the speech model cannot be had.
    """
    ready_models(settings, console, {one.tenant for one in recordings}, quiet=quiet)
    shown = console.is_terminal and not quiet
    progress = Bars(console, len(recordings)) if shown else Gathered() if quiet else JsonLines()
    with progress.display():
        broken_by = run_batches(settings, recordings, progress, retry=retry)
    return Ran(progress, broken_by)


def run_batches(
    settings: Settings, recordings: Sequence[Recording], progress: Gathered, *, retry: bool
) -> str:
    """A run of Dagster for each BATCH_SIZE; what broke one, or nothing."""
    _silence()
    from assets.names import CHAIN, RECORDINGS_JOB
    from assets.partitions import add_partitions
    from pipelines.definitions import make_definitions
    from sensors.running import tags_of

    began = datetime.now(UTC)
    job = make_definitions(settings, progress).resolve_job_def(RECORDINGS_JOB)
    with open_instance(settings) as instance:
        for first in range(0, len(recordings), settings.batch_size):
            batch = recordings[first : first + settings.batch_size]
            keys = [recording.partition_key for recording in batch]
            add_partitions(instance, keys)
            told = len(progress.outcomes) + len(batch)
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={
                    "ops": {CHAIN: {"config": {"keys": keys, "retry": retry}}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                tags=tags_of(
                    keys,
                    batch=f"{began:%Y%m%dT%H%M%S}-{first // settings.batch_size}",
                    reason="retry" if retry else "command line",
                ),
            )
            if len(progress.outcomes) < told or _is_cancelled(result):
                return _cause(result)
    return ""


def _is_cancelled(result: "dg.ExecuteInProcessResult") -> bool:
    """Somebody interrupted it, be it when every recording had its outcome already."""
    return any(event.event_type_value == "PIPELINE_CANCELED" for event in result.all_events)


def _cause(result: "dg.ExecuteInProcessResult") -> str:
    """The class and the message of what ended a run."""
    for event in result.all_events:
        error = getattr(event.event_specific_data, "error", None)
        if event.is_failure and error is not None:
            while error.cause is not None:  # the outer ones say only where
                error = error.cause
            return error.message.strip().splitlines()[0]
    return "Interrupted"


def not_in_dagster(settings: Settings, done: Sequence[Recording]) -> list[Recording]:
    """Recordings that are done in the bucket, but that Dagster never heard of.

    A run that was killed between the two leaves such; all their stages will be reused.
    """
    if not done or not (settings.dagster_home / "dagster.yaml").exists():
        return []
    _silence()
    import dagster as dg

    from assets.names import COST_METRICS

    with open_instance(settings) as instance:
        known = instance.get_materialized_partitions(dg.AssetKey(COST_METRICS))
    return [recording for recording in done if recording.partition_key not in known]


@contextmanager
def open_instance(settings: Settings) -> "Iterator[dg.DagsterInstance]":
    """Dagster's records in DAGSTER_HOME; two processes never make the tables at once."""
    import dagster as dg
    from filelock import FileLock

    home = dagster_home(settings)
    with ExitStack() as stack:
        with FileLock(home / ".opening"):
            _sweep_half_made(home)
            try:
                instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
                instance.get_runs(limit=1)
                instance.get_dynamic_partitions("recordings")
                instance.all_instigator_state()
            except Exception as error:  # its text may hold the password
                raise SettingsError(
                    f"DAGSTER_HOME: the records in {home} cannot be used ({type(error).__name__}). "
                    "Move that folder away; nothing is lost, the bucket knows what is done."
                ) from error
        yield instance


def _sweep_half_made(home: Path) -> None:
    """Remove databases in which a killed process had not finished making the tables."""
    import sqlite3

    places = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
    for path in (home / place for place in places if (home / place).exists()):
        with contextlib.suppress(sqlite3.DatabaseError):
            with contextlib.closing(sqlite3.connect(path)) as database:
                tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
                stamped = (
                    "alembic_version" in tables
                    and database.execute("SELECT count(*) FROM alembic_version").fetchone()[0]
                )
            if not stamped:
                path.unlink()


def _silence() -> None:
    """What libraries say on the way is for their authors; failures come as outcomes."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="dagster")
