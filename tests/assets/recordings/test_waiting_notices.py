"""A run that waits says so every minute, and what for."""

import asyncio

from assets.recordings.waiting_notices import EVERY_SECONDS, tell_waiting
from resources.gpu.waiting_jobs import WaitingJobs


class Minutes:
    """A clock that a sleep moves, until a minute at which the run ends."""

    def __init__(self, end):
        self.now, self.end, self.told = 0.0, end * EVERY_SECONDS, []
        self.jobs = WaitingJobs(clock=lambda: self.now)

    async def sleep(self, seconds):
        self.now += seconds
        if self.now > self.end:
            raise asyncio.CancelledError

    def waiting(self, sentence):
        self.told.append(sentence)

    def run(self):
        try:
            asyncio.run(tell_waiting(self.jobs, self, self.sleep))
        except asyncio.CancelledError:
            return self.told


def test_it_is_told_once_a_minute_by_reason_with_the_longest_time():
    run = Minutes(2)
    for job in ("a", "b"):
        run.jobs.wait(job, "no backend can take it: runpod/l4: it is down: all are throttled")
    run.jobs.wait("c", "no worker of aws_gpu/g6 has begun")

    assert run.run() == [
        f"{who}, {minutes} min so far: {why}."
        for minutes in (1, 2)
        for who, why in (
            ("2 jobs wait", "no backend can take it: runpod/l4: it is down: all are throttled"),
            ("One job waits", "no worker of aws_gpu/g6 has begun"),
        )
    ]


def test_what_goes_on_or_has_just_begun_to_wait_is_not_told():
    run = Minutes(1)
    run.jobs.wait("gone", "x")
    run.jobs.go_on("gone")
    with run.jobs.waiting("over"):
        run.jobs.wait("over", "x")
    run.now = 30.0
    run.jobs.wait("new", "x")

    assert run.run() == []
