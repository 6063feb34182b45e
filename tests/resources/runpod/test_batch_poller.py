"""How often a batch is looked at, in virtual time."""

import asyncio

from resources.gpu.runpod.batch_answers import BatchSummary
from resources.gpu.runpod.batch_ids import BatchedAttempt
from resources.gpu.runpod.batch_poller import BatchPoller

HOUR_SECONDS = 3_600.0


class Scripted:
    """500 requests that start after six hours; then one ends each 10 s."""

    def __init__(self, time_):
        self._clock, self.calls, self.told = time_.clock, [], []
        self._began = self._clock()

    @property
    def ended(self):
        work_seconds = self._clock() - self._began - 6 * HOUR_SECONDS
        return min(max(int(work_seconds / 10), 0), 500)

    async def summary(self, _batch):
        self.calls.append("summary")
        running = 1 if 0 < self.ended < 500 else 0
        return BatchSummary("FINALIZED", 500, running, self.ended, 0)

    async def requests(self, _batch, _total):
        self.calls.append("requests")
        ends = [
            {"id": f"r{n}", "status": "COMPLETED", "output": {"job": f"job-{n}", "attempt": 1}}
            for n in range(self.ended)
        ]
        return ends + [{"id": f"r{n}", "status": "IN_QUEUE"} for n in range(self.ended, 500)]


def test_a_night_of_500_attempts_takes_few_requests(in_virtual_time):
    async def night(time_):
        client = Scripted(time_)
        poller = BatchPoller(client, "secret", time_)
        poller.follow("batch_1", {(f"job-{n}", 1): lambda _: None for n in range(500)})
        first = await poller.wait_for_report(BatchedAttempt("batch_1", "job-0", 1, 500), 8e4)
        waited = len(client.calls)
        last = await poller.wait_for_report(BatchedAttempt("batch_1", "job-499", 1, 500), 8e4)
        seconds = time_.clock()
        await poller.close()
        return first.status, last.status, waited, len(client.calls), seconds

    first, last, waited, all_, seconds = in_virtual_time(night)

    assert (first, last) == ("COMPLETED", "COMPLETED")
    assert waited < 400  # in six hours
    assert all_ < 1_200  # /run takes five or more for each attempt
    assert seconds < 6 * HOUR_SECONDS + 500 * 10 + 60


def test_no_request_is_sent_for_a_batch_that_nobody_follows(in_virtual_time):
    async def hours(time_):
        client = Scripted(time_)
        poller = BatchPoller(client, "secret", time_)
        await poller.wait_for_report(BatchedAttempt("batch_1", "job-0", 1, 500), 60.0)
        await asyncio.sleep(HOUR_SECONDS)
        before, kept = len(client.calls), len(poller)
        await asyncio.sleep(HOUR_SECONDS)
        await poller.close()
        return before, len(client.calls), kept

    before, after, kept = in_virtual_time(hours)

    assert (after, kept) == (before, 0)
