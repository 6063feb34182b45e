"""Looks at each batch now and then: one summary, and its requests where something may be new."""

import asyncio
import logging
from typing import Any

from escriba.text_for.plain_lines import log_line
from resources.gpu.backend import AttemptReport, Progress
from resources.http.json_requests import RefusedError, TransientError
from resources.http.rate_limiter import backoff_seconds

from .batch_client import BatchClient
from .batch_ids import BatchedAttempt, Key
from .batches import Batch, Member
from .client import Time

UNBELIEVED_SECONDS = 30.0  # RunPod may not know a new batch for a while
LEFT_SECONDS = 300.0  # another process's batch that nothing waits for this long is forgotten
CLOSEST_SECONDS, FARTHEST_SECONDS = 15.0, 60.0
SOON_SECONDS = 5.0
_PART = 10  # of the time since the last change, after which the next look is due
_MAX_RETRY_AFTER_SECONDS = 300.0
_FAILURES_TO_WARN = 3  # in a row: a single failure is not worth a warning

logger = logging.getLogger(__name__)


class BatchPoller:
    """One task for each batch. secret: the key, never in a report."""

    def __init__(self, client: BatchClient, secret: str, time_: Time) -> None:
        self._client, self._secret, self._time = client, secret, time_
        self._batches: dict[str, Batch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiters: dict[str, int] = {}
        self._left_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._batches)

    def ours(self) -> list[Batch]:
        """The batches of this process in which somebody needs an attempt."""
        return [one for one in self._batches.values() if one.ours and not one.is_over]

    def known(self, id_: str) -> Batch | None:
        """The batch, if it is followed here."""
        return self._batches.get(id_)

    def follow(self, id_: str, members: dict[Key, Progress]) -> Batch:
        """Add a batch that was just finalized."""
        now = self._time.clock()
        batch = Batch(id_, len(members), now, ours=True, changed_at=now)
        batch.members = {key: Member(progress) for key, progress in members.items()}
        self._start(batch)
        return batch

    def forget(self, batch: Batch) -> None:
        """Stop looking at a batch."""
        self._batches.pop(batch.id, None)
        self._left_at.pop(batch.id, None)
        task = self._tasks.pop(batch.id, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def wait_for_report(
        self, attempt: BatchedAttempt, wait_seconds: float
    ) -> AttemptReport | None:
        """How an attempt ended, as soon as that is known; None after so many seconds."""
        batch = self._batches.get(attempt.batch) or self._attach(attempt)
        if attempt.key not in batch.members:
            batch.soon.set()
        member = batch.member(attempt.key)
        if member.report is not None:  # a caller that asks in a loop must not spin
            await self._time.sleep(min(wait_seconds, 1.0))
            return member.report
        self._waiters[batch.id] = self._waiters.get(batch.id, 0) + 1
        try:
            await asyncio.wait_for(member.ended.wait(), wait_seconds)
        except TimeoutError:
            return None
        finally:
            self._left(batch.id)
        return member.report

    async def close(self) -> None:
        """Stop all requests."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._batches.clear()

    def _left(self, id_: str) -> None:
        self._left_at[id_] = self._time.clock()
        self._waiters[id_] -= 1
        if not self._waiters[id_]:
            del self._waiters[id_]

    def _attach(self, attempt: BatchedAttempt) -> Batch:
        now = self._time.clock()
        batch = Batch(attempt.batch, attempt.count, now, changed_at=now)
        self._start(batch)
        return batch

    def _start(self, batch: Batch) -> None:
        self._batches[batch.id] = batch
        self._left_at[batch.id] = self._time.clock()
        self._tasks[batch.id] = asyncio.create_task(self._run(batch), name="runpod-batch")

    def _is_needed(self, batch: Batch) -> bool:
        if batch.ours or self._waiters.get(batch.id):
            return True
        return self._time.clock() - self._left_at[batch.id] < LEFT_SECONDS

    async def _run(self, batch: Batch) -> None:
        failures = 0
        await self._until_due(batch, CLOSEST_SECONDS)
        while self._is_needed(batch):
            try:
                wait = await self._look(batch)
                failures = 0
            except (TransientError, RefusedError) as error:
                failures += 1
                wait = self._after_failure(failures, error)
            await self._until_due(batch, wait)
        self.forget(batch)

    async def _until_due(self, batch: Batch, seconds: float) -> None:
        """Wait so long, or shorter if the batch is about to change."""
        waits: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(batch.soon.wait()),
            asyncio.ensure_future(self._time.sleep(seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if batch.soon.is_set():
                batch.soon.clear()
                await self._time.sleep(min(seconds, SOON_SECONDS))
        finally:
            for wait in waits:
                wait.cancel()

    async def _look(self, batch: Batch) -> float:
        """The seconds until the next look."""
        if not batch.open_members:
            return FARTHEST_SECONDS
        try:
            changed = batch.note_summary(self._time.clock(), await self._client.summary(batch.id))
            if changed or batch.quiet_since is not None:
                listed = await self._client.requests(batch.id, batch.summary.total)
                batch.note_requests(self._time.clock(), listed, self._secret)
        except RefusedError as refused:
            if not refused.is_unknown:
                raise
            if self._time.clock() - batch.known_since >= UNBELIEVED_SECONDS:
                batch.lose("RunPod no longer knows the batch")
            return CLOSEST_SECONDS
        unchanged = self._time.clock() - batch.changed_at
        return min(max(unchanged / _PART, CLOSEST_SECONDS), FARTHEST_SECONDS)

    def _after_failure(self, failures: int, error: TransientError | RefusedError) -> float:
        wait = backoff_seconds(failures, self._time.jitter)
        if isinstance(error, TransientError):
            wait += min(error.retry_after_seconds or 0.0, _MAX_RETRY_AFTER_SECONDS)
        if failures == _FAILURES_TO_WARN:
            logger.warning("RunPod does not report the state of a batch now (%s).", log_line(error))
        return wait
