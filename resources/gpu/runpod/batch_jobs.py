"""Attempts that leave together as one of RunPod's batch jobs, or, where that fails, by /run."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import uuid4

from escriba.billing.quote_ceiling import STOP_SECONDS
from escriba.billing.quotes import Quote
from escriba.errors import BackendUnavailableError, RecordingError
from escriba.settings import Settings
from escriba.text_for.plain_lines import log_line
from gpu_job.contract import JobRequest
from resources.gpu.backend import AttemptReport, Progress
from resources.gpu.batch_machines.gathering import Gathering, Waiting
from resources.gpu.batch_machines.time_sources import Time as GatheringTime
from resources.gpu.job_folder import Submission
from resources.http.json_requests import RefusedError, TransientError

from .batch_client import BatchClient, calls_of
from .batch_ids import BatchedAttempt
from .batch_poller import BatchPoller
from .client import EndpointClient, Time, payload, refusal

# others abandon an attempt that is not submitted within 60 s: gathering, the calls for the batch,
# and /run after a failure of these fit into it
GATHER_SECONDS = 10.0
BATCH_SECONDS, RUN_SECONDS = 20.0, 20.0
MOST_REQUESTS = 500  # RunPod accepts 5,000; the requests stay in memory until they have left
MOST_BATCHES = 10  # active ones, of an endpoint
AHEAD_SECONDS = 60  # a worker takes its next job before the one on its GPU is done

logger = logging.getLogger(__name__)


def body_of(request: JobRequest, settings: Settings) -> bytes:
    """The request as RunPod gets it, with its limits: the same for /run and in a batch.

    Raises:
        RecordingError: it is larger than RunPod accepts.
    """
    limits = request.limits
    run_seconds = limits.run_seconds or settings.job_timeout_seconds
    # the worker stops by itself before that, and keeps its partial result
    run_seconds += STOP_SECONDS + AHEAD_SECONDS
    return payload(request, run_seconds, limits.queue_seconds or settings.queue_limit_seconds)


class BatchJobs:
    """The batches of one endpoint."""

    def __init__(
        self, client: EndpointClient, endpoint: str, settings: Settings, time_: Time
    ) -> None:
        self._client, self._endpoint, self._time = client, endpoint, time_
        self._settings = settings
        self._batches = BatchClient(client, endpoint, time_)
        secret = settings.runpod_api_key.get_secret_value()
        self._poller = BatchPoller(self._batches, secret, time_)
        self.most_requests = min(settings.runpod_jobs_at_once, MOST_REQUESTS)
        gathering_time = GatheringTime(time_.clock, time_.sleep, time_.jitter)
        self._gathering = Gathering(self._hold_seconds, self._leave, gathering_time)
        self._leaving = 0
        self._finalizing: set[str] = set()
        self._cancels: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._poller)

    @property
    def open_requests(self) -> int:
        """Our requests in batches that may wait for a worker."""
        return sum(len(one.open_members) for one in self._poller.ours())

    async def submission_of(
        self, request: JobRequest, quote: Quote, progress: Progress
    ) -> Submission:
        """Wait with others, and leave with them; the id tells whether by a batch or by /run.

        Raises:
            BackendUnavailableError: it was refused, or it is unknown whether it arrived.
            RecordingError: the request is too large.
        """
        return await self._gathering.submission_of(request, quote.run_seconds, progress)

    async def wait_for_report(
        self, attempt: BatchedAttempt, wait_seconds: float
    ) -> AttemptReport | None:
        """How it ended; None after so many seconds without an end."""
        return await self._poller.wait_for_report(attempt, wait_seconds)

    def let_go(self, attempt: BatchedAttempt) -> None:
        """Nobody needs the attempt any more."""
        batch = self._poller.known(attempt.batch)
        if batch is None:
            return
        batch.member(attempt.key).is_over = True
        if not batch.is_left:
            return
        self._poller.forget(batch)
        if batch.is_needless and not batch.summary.is_over:
            task = asyncio.create_task(self._cancel(batch.id), name="runpod-batch-cancel")
            self._cancels.add(task)
            task.add_done_callback(self._cancels.discard)

    async def cancel(self, attempt: BatchedAttempt) -> None:
        """Cancel the batch if no other attempt needs it.

        Otherwise the worker that gets the request finds that the attempt is closed.
        """
        batch = self._poller.known(attempt.batch)
        if batch is None:
            if attempt.count == 1:
                await self._cancel(attempt.batch)
            return
        others = [one for key, one in batch.members.items() if key != attempt.key]
        needed = any(one.report is None and not one.is_over for one in others)
        batch.is_needless = True
        if not needed and len(batch.members) >= batch.count:
            await self._cancel(batch.id)
            batch.soon.set()

    async def close(self, seconds: float) -> None:
        """Cancel the batches in which an attempt has not ended, within so many seconds."""
        await self._gathering.close(seconds / 2)
        needed = self._finalizing | {one.id for one in self._poller.ours()}
        self._finalizing.clear()
        await self._poller.close()
        tasks = [asyncio.create_task(self._cancel(id_)) for id_ in needed]
        tasks += self._cancels
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds / 2)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            logger.warning("%d batches on RunPod were not cancelled in time.", len(late))

    def _hold_seconds(self, run_seconds: Sequence[float]) -> float:
        return 0.0 if len(run_seconds) >= self.most_requests else GATHER_SECONDS

    async def _leave(self, group: Sequence[Waiting]) -> None:
        """One batch, or, where RunPod takes none now, one /run for each."""
        ready = [(one, body) for one in group if (body := self._body(one)) is not None]
        if not ready:
            return
        batch = await self._draft([body for _, body in ready])
        if batch is None:
            await asyncio.gather(*(self._run(one, body) for one, body in ready))
            return
        self._finalizing.add(batch)  # from now on, workers may take its requests
        await self._finalize(batch, [one for one, _ in ready])
        self._finalizing.discard(batch)

    async def _finalize(self, batch: str, members: Sequence[Waiting]) -> None:
        try:
            await self._batches.finalize(batch, BATCH_SECONDS)
        except (TransientError, RefusedError) as error:
            await self._cancel(batch)
            what = f"RunPod did not finalize the batch ({error})."
            for one in members:
                one.refuse(BackendUnavailableError(what, lasting=False))
        else:
            await self._accept(batch, members)

    def _body(self, one: Waiting) -> bytes | None:
        try:
            return body_of(one.request, self._settings)
        except RecordingError as error:
            one.refuse(error)
            return None

    async def _draft(self, bodies: Sequence[bytes]) -> str | None:
        """A batch with these requests that no worker takes yet; None: RunPod takes none now.

        What is never finalized is never run, so a failure here makes no second job.
        """
        if self._leaving + len(self._poller.ours()) >= MOST_BATCHES:
            return None
        until, batch = self._time.clock() + BATCH_SECONDS, ""
        first, *others = calls_of(bodies)
        self._leaving += 1
        try:
            name = f"escriba-{uuid4().hex[:12]}"
            batch = await self._batches.create(name, first, BATCH_SECONDS)
            for call in others:
                await self._batches.append(batch, call, until - self._time.clock())
        except (TransientError, RefusedError) as error:
            await self._not_drafted(batch, error)
            return None
        finally:
            self._leaving -= 1
        return batch

    async def _not_drafted(self, batch: str, error: TransientError | RefusedError) -> None:
        if isinstance(error, RefusedError) and error.is_key:
            raise BackendUnavailableError(refusal(error, self._endpoint), lasting=True) from None
        logger.warning(
            "RunPod accepts no batch now (%s); its jobs are submitted singly.", log_line(error)
        )
        if batch:
            await self._cancel(batch)

    async def _run(self, one: Waiting, body: bytes) -> None:
        try:
            one.accept(Submission(provider_id=await self._client.submit(body, RUN_SECONDS)))
        except BackendUnavailableError as error:
            one.refuse(error)

    async def _accept(self, id_: str, members: Sequence[Waiting]) -> None:
        """Attempts that were interrupted meanwhile do not need the batch."""
        keys = [(one.request.job, one.request.attempt) for one in members]
        progress = {key: one.progress for key, one in zip(keys, members, strict=True)}
        batch = self._poller.follow(id_, progress)
        for (job, attempt), one in zip(keys, members, strict=True):
            batch.member((job, attempt)).is_over = one.submission.done()
            part = BatchedAttempt(id_, job, attempt, len(progress))
            one.accept(Submission(provider_id=str(part)))
        if batch.is_over:
            await self._cancel(id_)
            self._poller.forget(batch)

    async def _cancel(self, batch: str) -> None:
        try:
            await self._batches.cancel(batch)
        except TransientError as trouble:
            logger.warning(
                "Batch %s on RunPod was not cancelled: %s", batch, log_line(trouble.what)
            )
        except RefusedError as refused:  # most likely it has ended meanwhile
            logger.info("Batch %s on RunPod was not cancelled: %s", batch, log_line(refused))
