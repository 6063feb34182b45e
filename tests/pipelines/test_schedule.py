"""The nightly schedule in Dagster's real scheduler: after an outage, and in summer time."""

import logging
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._scheduler.scheduler import launch_scheduled_runs
from dagster._utils.schedules import schedule_execution_time_iterator

from escriba.settings import NightSettings
from pipelines.schedules import nightly_schedule

HOUSE = Path(__file__).resolve().parents[2]
PLACES = ["America/Sao_Paulo", "Europe/Lisbon", "America/New_York"]


@contextmanager
def workspace_of(instance):
    origin = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(
            executable_path=sys.executable,
            module_name="pipelines.definitions",
            working_directory=str(HOUSE),
        ),
        location_name="escriba",
    )
    with WorkspaceProcessContext(instance, InProcessTestWorkspaceLoadTarget(origin)) as workspace:
        yield workspace


def scheduler_at(workspace, when):
    """A tick of the scheduler at this time."""
    with freeze_time(when):
        for error in launch_scheduled_runs(workspace, logging.getLogger("test"), when, {}):
            assert error is None, error


def nights_of(instance):
    runs = instance.get_runs(dg.RunsFilter(job_name="nightly_job"))
    return [run.tags["escriba/night"] for run in runs]


def test_after_an_outage_of_days_one_night_is_caught_up_with(place):
    with place.instance() as instance, workspace_of(instance) as workspace:
        scheduler_at(workspace, datetime(2026, 11, 20, 12, tzinfo=UTC))  # the schedule is enabled
        scheduler_at(workspace, datetime(2026, 11, 21, 5, 1, tzinfo=UTC))
        assert nights_of(instance) == ["2026-11-21"]

        scheduler_at(workspace, datetime(2026, 11, 24, 15, tzinfo=UTC))  # three nights later

        assert sorted(nights_of(instance)) == ["2026-11-21", "2026-11-24"]


@pytest.mark.parametrize("place_name", PLACES)
@pytest.mark.parametrize("at", ["02:00", "01:30", "2:30"])
def test_every_night_of_a_year_comes_exactly_once_whatever_the_clocks_do(place_name, at):
    schedule = nightly_schedule(NightSettings(nightly_at=at, nightly_timezone=place_name))
    zone = ZoneInfo(place_name)
    times = schedule_execution_time_iterator(
        datetime(2026, 1, 1, tzinfo=zone).timestamp(),
        schedule.cron_schedule,
        schedule.execution_timezone,
        ascending=True,
    )

    dates = [next(times).astimezone(zone).date() for _ in range(365)]

    assert len(set(dates)) == 365
    assert (max(dates) - min(dates)).days == 364


def test_the_night_is_named_by_the_clocks_of_its_place():
    schedule = nightly_schedule(NightSettings(nightly_at="23:30"))
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
    )

    assert schedule.evaluate_tick(context).run_requests[0].run_key == "2026-11-24"
