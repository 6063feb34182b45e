"""The code location. Importing it makes no client, reads no secret and asks nobody."""

import logging

import dagster as dg

from assets.attempts_ledger import attempts_ledger
from assets.chain import recording_chain
from assets.cost_marts import cost_marts
from assets.costs_mirror import costs_mirror
from assets.progress import LogProgress
from sensors.budget import budget_sensor
from sensors.digest import digest_sensor
from sensors.inbox import inbox_sensor
from sensors.ledger import ledger_sensor
from sensors.requests import requests_sensor

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
from .settings import load_night_settings, load_settings


@dg.resource(description="Every setting, read when a run begins.")
def _settings(_context: dg.InitResourceContext) -> object:
    return load_settings()


@dg.resource(description="Tells of a run's progress in the log.")
def _progress(_context: dg.InitResourceContext) -> object:
    return LogProgress(logging.getLogger("escriba"))


def make_definitions(settings: object = _settings, progress: object = _progress) -> dg.Definitions:
    """The code location, with the resources of a caller who runs it in its own process."""
    night = load_night_settings()
    return dg.Definitions(
        assets=[recording_chain, attempts_ledger, cost_marts, costs_mirror],
        jobs=[
            recordings_job,
            nightly_job,
            retry_failed_job,
            digest_job,
            reconcile_job,
            compaction_job,
            report_job,
            statements_job,
        ],
        schedules=[
            nightly_schedule(night),
            compaction_schedule(night),
            report_schedule(night),
            statements_schedule(night),
            reconcile_schedule,
        ],
        sensors=[inbox_sensor, requests_sensor, ledger_sensor, digest_sensor, budget_sensor],
        resources={"settings": settings, "progress": progress},
        executor=dg.in_process_executor,  # the default spawns a process for each step
    )


defs = make_definitions()
