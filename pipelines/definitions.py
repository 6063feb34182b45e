"""The code location. Importing it opens no client, reads no secret and uses no network."""

import logging

import dagster as dg

from assets.costs.attempts_ledger import attempts_ledger
from assets.costs.cost_marts import cost_marts
from assets.costs.costs_mirror import costs_mirror
from assets.recordings.chain import recording_chain
from assets.recordings.progress import LogProgress
from escriba.settings import load_night_settings, load_settings
from sensors.alerts import alert_sensor
from sensors.budget import budget_sensor
from sensors.digest import digest_sensor
from sensors.inbox import inbox_sensor
from sensors.ledger import ledger_sensor
from sensors.requests import requests_sensor

from .care_jobs import backup_job, cleanup_job, database_care_job, retirement_job
from .care_schedules import (
    backup_schedule,
    cleanup_schedule,
    database_care_schedule,
    retirement_schedule,
)
from .jobs import (
    compaction_job,
    digest_job,
    nightly_job,
    reconcile_job,
    recordings_job,
    report_job,
    retry_failed_job,
    statements_job,
)
from .schedules import (
    compaction_schedule,
    nightly_schedule,
    reconcile_schedule,
    report_schedule,
    statements_schedule,
)

_JOBS = (
    recordings_job,
    nightly_job,
    retry_failed_job,
    digest_job,
    reconcile_job,
    compaction_job,
    report_job,
    statements_job,
    cleanup_job,
    backup_job,
    database_care_job,
    retirement_job,
)


@dg.resource(description="All settings, read from the environment when a run starts.")
def _settings(_context: dg.InitResourceContext) -> object:
    return load_settings()


@dg.resource(description="Reports the progress of a run in the log.")
def _progress(_context: dg.InitResourceContext) -> object:
    return LogProgress(logging.getLogger("escriba"))


def make_definitions(settings: object = _settings, progress: object = _progress) -> dg.Definitions:
    """The code location; a caller that runs it in its own process may pass its own resources."""
    night = load_night_settings()
    return dg.Definitions(
        assets=[recording_chain, attempts_ledger, cost_marts, costs_mirror],
        jobs=_JOBS,
        schedules=[
            nightly_schedule(night),
            compaction_schedule(night),
            report_schedule(night),
            statements_schedule(night),
            reconcile_schedule,
            cleanup_schedule(night),
            backup_schedule(night),
            database_care_schedule(night),
            retirement_schedule(night),
        ],
        sensors=[
            inbox_sensor,
            requests_sensor,
            ledger_sensor,
            digest_sensor,
            budget_sensor,
            alert_sensor,
        ],
        resources={"settings": settings, "progress": progress},
        executor=dg.in_process_executor,  # the default spawns a process for each step
    )


defs = make_definitions()
