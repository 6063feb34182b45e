"""Runs recordings through Dagster in this process, without a daemon: one run per batch."""

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

from assets.recordings.progress import RecordingOutcome
from cli.dagster_home import dagster_home
from cli.exit_status import COULD_NOT_START, DEFERRED, INTERRUPTED, SOME_FAILED, SUCCESS
from escriba.errors import EscribaError
from escriba.recordings import Recording
from escriba.settings import Settings, SettingsError
from escriba.stages import FILE_STAGES
from intake.inbox import Survey
from intake.retirement import unreported

from .dagster_faults import dagster_fault, in_our_words, known_fault
from .fetch_models import ready_models
from .make_room import make_room
from .progress_bars import JsonLines, OutcomeCollector, ProgressBars

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class RunResult:
    """The outcomes of a run.

    broken_by: why the run ended before every recording had an outcome; empty if it did not.
    files_only: recordings that needed only their output files written again.
    asked: the number of recordings that were to run all stages.
    """

    progress: OutcomeCollector
    broken_by: str = ""
    files_only: frozenset[Recording] = frozenset()
    asked: int = 0

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody stopped it."""
        return "Interrupt" in self.broken_by

    @property
    def outcomes(self) -> list[RecordingOutcome]:
        """Outcomes of recordings that ran all stages."""
        return [one for one in self.progress.outcomes if one.recording not in self.files_only]

    @property
    def written_again(self) -> list[RecordingOutcome]:
        """Outcomes of recordings that needed only their output files written again."""
        return [one for one in self.progress.outcomes if one.recording in self.files_only]

    @property
    def exit_status(self) -> int:
        """As `cli.exit_status` describes."""
        if self.broken_by:
            return INTERRUPTED if self.is_interrupted else COULD_NOT_START
        outcomes = self.progress.outcomes
        failed = [o.failed for o in outcomes if o.failed is not None and not o.is_deferred]
        if failed and all(failure.is_ours for failure in failed):
            return COULD_NOT_START
        if failed:
            return SOME_FAILED
        return DEFERRED if any(outcome.is_deferred for outcome in outcomes) else SUCCESS


def run_recordings(  # noqa: PLR0913  # what a run needs, and how it is reported
    settings: Settings,
    recordings: Sequence[Recording],
    console: Console,
    *,
    retry: bool = False,
    quiet: bool = False,
    files_of: Sequence[Recording] = (),
) -> RunResult:
    """Run all stages for the recordings, in runs of BATCH_SIZE.

    files_of: other recordings that only get their output files written again; needs no model.

    Raises:
        BackendUnavailableError: the speech model is not available.
    """
    if recordings:
        ready_models(settings, console, {one.tenant for one in recordings}, quiet=quiet)
    shown, count = console.is_terminal and not quiet, len(recordings) + len(files_of)
    progress = (
        ProgressBars(console, count) if shown else OutcomeCollector() if quiet else JsonLines()
    )
    with progress.display():
        broken_by = run_batches(settings, recordings, progress, retry=retry)
        if not broken_by:
            broken_by = run_batches(settings, files_of, progress, stages=FILE_STAGES)
    return RunResult(progress, broken_by, frozenset(files_of), len(recordings))


def run_batches(
    settings: Settings,
    recordings: Sequence[Recording],
    progress: OutcomeCollector,
    *,
    retry: bool = False,
    stages: Sequence[str] = (),
) -> str:
    """Run Dagster once per BATCH_SIZE recordings; return what broke a run, or an empty text."""
    if not recordings:
        return ""
    _silence_libraries()
    from assets.recordings.partitions import add_partitions
    from escriba.stages import RECORDINGS_JOB
    from pipelines.definitions import make_definitions
    from sensors.running import tags_of

    began, reason = datetime.now(UTC), _reason(stages, retry=retry)
    job = make_definitions(settings, progress).resolve_job_def(RECORDINGS_JOB)
    with open_instance(settings) as instance:
        for first in range(0, len(recordings), settings.batch_size):
            batch = recordings[first : first + settings.batch_size]
            keys = [recording.partition_key for recording in batch]
            make_room(instance, settings, keys)
            add_partitions(instance, keys)
            expected = len(progress.outcomes) + len(batch)
            name = f"{began:%Y%m%dT%H%M%S}-{first // settings.batch_size}"
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config=_run_config(keys, stages, retry=retry),
                tags=tags_of(keys, batch=name, reason=reason),
            )
            if len(progress.outcomes) < expected or _is_canceled(result):
                return in_our_words(_cause(result), settings)
    return ""


def _run_config(keys: list[str], stages: Sequence[str], *, retry: bool) -> dict[str, object]:
    from escriba.stages import CHAIN

    config = {"keys": keys, "stages": list(stages), "retry": retry}
    return {
        "ops": {CHAIN: {"config": config}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def _reason(stages: Sequence[str], *, retry: bool) -> str:
    if stages:
        return "changed output settings"
    return "retry" if retry else "command line"


def _is_canceled(result: "dg.ExecuteInProcessResult") -> bool:
    """Return whether the run was interrupted, even after the last outcome."""
    return any(event.event_type_value == "PIPELINE_CANCELED" for event in result.all_events)


def _cause(result: "dg.ExecuteInProcessResult") -> str:
    """Return the first line of the innermost error that ended a run."""
    for event in result.all_events:
        error = getattr(event.event_specific_data, "error", None)
        if event.is_failure and error is not None:
            while error.cause is not None:  # the outer ones only locate it
                error = error.cause
            return str(error.message).strip().splitlines()[0]
    return "Interrupted"


def not_in_dagster(settings: Settings, seen: Survey) -> Sequence[Recording]:
    """Return recordings that are done in the bucket but not recorded in Dagster.

    A run that was killed between the two steps leaves them; all their stages will be reused.
    Those that were done longer ago than PARTITIONS_DAYS have retired, and are left out.
    """
    if not seen.done or not (settings.dagster_home / "dagster.yaml").exists():
        return []
    _silence_libraries()
    import dagster as dg

    from escriba.stages import COST_METRICS

    with open_instance(settings) as instance:
        known = instance.get_materialized_partitions(dg.AssetKey(COST_METRICS))
    return unreported(seen, known, datetime.now(UTC), settings.partitions_days)


@contextmanager
def open_instance(settings: Settings) -> "Iterator[dg.DagsterInstance]":
    """Open Dagster's instance in DAGSTER_HOME; a lock keeps table creation to one process.

    Raises:
        SettingsError: its database cannot be used, now or while the block runs; says why.
    """
    import dagster as dg
    from filelock import FileLock

    home = dagster_home(settings)
    with ExitStack() as stack:
        try:
            with FileLock(home / ".opening"):
                _remove_incomplete_databases(home)
                instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
                instance.get_runs(limit=1)
                instance.get_dynamic_partitions("recordings")
                instance.all_instigator_state()
        except Exception as error:  # its text may hold the password
            raise SettingsError(dagster_fault(error, settings)) from error
        try:
            yield instance
        except Exception as error:
            fault = known_fault(error, settings)
            if not fault or isinstance(error, EscribaError):
                raise
            raise SettingsError(fault) from error


def _remove_incomplete_databases(home: Path) -> None:
    """Remove databases of a process that was killed while it created the tables."""
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


def _silence_libraries() -> None:
    """Hide log lines and warnings of libraries; failures are reported as outcomes."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="dagster")
