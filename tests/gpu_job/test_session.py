"""A clock that is set while a worker lives: no second is won or lost by it."""

from datetime import UTC, datetime, timedelta

import pytest

from gpu_job import session as session_module
from gpu_job.lease_ownership import LeaseOwnership
from gpu_job.session import WorkerSession

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def clocks(monkeypatch):
    """One that people set (`wall`), and one that only goes on (`seconds`)."""

    class Wall(datetime):
        @classmethod
        def now(cls, zone=None):
            return clocks.wall

    class Clocks:
        wall, seconds = NOON, 1_000.0

        def passes(self, seconds):
            self.wall += timedelta(seconds=seconds)
            self.seconds += seconds

    clocks = Clocks()
    monkeypatch.setattr(session_module, "datetime", Wall)
    return clocks


@pytest.mark.parametrize("step", [timedelta(hours=3), -timedelta(hours=3), timedelta(0)])
def test_a_job_has_its_seconds_whatever_the_wall_clock_says(job, clocks, step):
    """Today it is 10,800 s or none where the clock is set by three hours; it ran for 100."""
    owner = LeaseOwnership.take(job.request(), WorkerSession("worker-1"), lambda: clocks.seconds)

    clocks.passes(50)
    clocks.wall += step
    clocks.passes(50)

    usage = owner.usage_now()
    assert usage.run_seconds == 100
    assert usage.started_at == NOON
    assert job.claim().usage.run_seconds == 0  # as the claim was made; each beat tells more
    owner.end("done")
    assert job.claim().usage.run_seconds == 100


def test_the_next_job_of_a_worker_begins_after_the_one_before_it(job, clocks):
    """The clock is set back by an hour between them: they are not at the same time."""
    session = WorkerSession("worker-1")
    first = LeaseOwnership.take(job.request(), session, lambda: clocks.seconds)
    clocks.passes(60)
    first.end("done")

    clocks.wall -= timedelta(hours=1)
    second = session.usage("")

    assert second.started_at == first.usage.ended_at == NOON + timedelta(seconds=60)


def test_a_boot_is_measured_once(clocks, monkeypatch):
    """Its container began 40 s before its models were ready; later the clock is set by a day."""
    monkeypatch.setattr(session_module, "container_started_at", lambda: clocks.wall)
    began = session_module.container_started_at()
    clocks.passes(40)
    session = WorkerSession("worker-1", container_started_at=began, models_ready_at=clocks.wall)

    clocks.wall += timedelta(days=1)
    usage = session.usage("")

    assert usage.models_ready_at - usage.container_started_at == timedelta(seconds=40)
