"""One RunPod endpoint as a backend."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from escriba.backend_names import RUNPOD
from escriba.billing.measured_speeds import planned_speed
from escriba.billing.price_book import Price
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, machine_quote
from escriba.settings import Settings
from escriba.text_for.plain_lines import log_line
from gpu_job.contract import JobRequest
from resources.gpu.backend import AttemptReport, Progress
from resources.gpu.job_folder import Submission
from resources.gpu.model_choice import model_of
from resources.http.json_requests import RefusedError, TransientError

from . import urls
from .batch_ids import batched
from .batch_jobs import BatchJobs, body_of
from .client import EndpointClient, Time, open_http
from .endpoints import Endpoint
from .health import HealthWatch
from .poller import Poller

CLOSE_SECONDS = 20.0
# slots with a job that is not submitted yet: the request of an hour of speech takes 0.2 MB until
# then, and RunPod accepts 50 of them in a second
HANDED_OVER_AT_ONCE = 100

logger = logging.getLogger(__name__)
REAL_TIME = Time()


class RunPodBackend:
    """At most RUNPOD_JOBS_AT_ONCE attempts; RunPod queues them and scales its workers."""

    name = RUNPOD
    look_seconds = 60.0

    def __init__(self, settings: Settings, endpoint: Endpoint, time_: Time = REAL_TIME) -> None:
        self._settings, self._endpoint, self._time = settings, endpoint, time_
        self.sku = endpoint.gpu
        regions = filter(None, map(str.strip, settings.runpod_regions.split(",")))
        self.capabilities = Capabilities(
            paid=True,
            models=frozenset({model_of(settings)}),
            third_party=True,
            regions=frozenset(regions),
            idle_seconds=float(settings.runpod_idle_seconds),
            warm_workers=settings.runpod_workers_min,
        )
        self._room = asyncio.Semaphore(settings.runpod_jobs_at_once)
        self._handing: set[asyncio.Task[None] | None] = set()
        self._open: httpx.AsyncClient | None = None
        secret = settings.runpod_api_key.get_secret_value()
        self._client = EndpointClient(self._http, endpoint.id, secret, time_)
        self._poller = Poller(self._client.status, secret, time_)
        self._batches = BatchJobs(self._client, endpoint.id, settings, time_)
        together = self._batches.most_requests if settings.runpod_batch_jobs else 0
        self._handing_over = asyncio.Semaphore(max(HANDED_OVER_AT_ONCE, together))
        self._watch = HealthWatch(self._client, endpoint.id, time_.clock, self._batches)
        self._mine: dict[asyncio.Task[None] | None, list[str]] = {}  # by the task in `slot`
        self._left: dict[str, str] = {}  # jobs of interrupted tasks, and their last known phase

    def speed(self, job: JobSize) -> Speed:
        return planned_speed(self.name, job)

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        return machine_quote(job, price, speed)

    async def health(self) -> Health:
        return await self._watch.health()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Jobs of a block that ends normally have ended; those of an interrupted one have not."""
        task = asyncio.current_task()
        async with self._room:
            await self._handing_over.acquire()
            self._handing.add(task)
            self._mine[task] = []
            try:
                yield
            except BaseException:
                mine = self._mine.pop(task, ())
                self._left |= {id_: self._poller.phase(id_) for id_ in mine if not batched(id_)}
                for id_ in mine:
                    self._poller.forget(id_)
                raise
            finally:
                self._handed_over(task)
                for id_ in self._mine.pop(task, ()):
                    self._let_go(id_)

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:
        task = asyncio.current_task()
        try:
            submission = await self._submission_of(request, quote, progress)
        finally:
            self._handed_over(task)
        self._mine.setdefault(task, []).append(submission.provider_id)
        if not batched(submission.provider_id):
            self._poller.follow(submission.provider_id, quote, progress)
        return submission

    async def poll(
        self, submission: Submission | None, wait_seconds: float
    ) -> AttemptReport | None:
        if submission is None:
            await self._time.sleep(wait_seconds)
            return None
        if attempt := batched(submission.provider_id):
            return await self._batches.wait_for_report(attempt, wait_seconds)
        return await self._poller.wait_for_report(submission.provider_id, wait_seconds)

    async def cancel(self, submission: Submission) -> None:
        if attempt := batched(submission.provider_id):
            await self._batches.cancel(attempt)
            return
        await self._cancel(submission.provider_id)
        self._poller.check_soon(submission.provider_id)

    def console_url(self, submission: Submission) -> str:  # noqa: ARG002  # RunPod has no page of a job
        return urls.console_page(self._endpoint.id)

    async def close(self) -> None:
        """Cancel the submitted jobs that have not ended within 20 s, running ones first."""
        await self._batches.close(CLOSE_SECONDS)
        held = [job for jobs in self._mine.values() for job in jobs if not batched(job)]
        phases = self._left | {job: self._poller.phase(job) for job in held}
        self._mine.clear()
        self._left = {}
        await self._poller.close()
        open_ones = [job for job, phase in phases.items() if phase != "ended"]
        open_ones.sort(key=lambda job: phases[job] != "runs")
        if open_ones:
            await self._cancel_all(open_ones)
        if self._open is not None:
            await self._open.aclose()
            self._open = None

    async def _submission_of(
        self, request: JobRequest, quote: Quote, progress: Progress
    ) -> Submission:
        if self._settings.runpod_batch_jobs:
            return await self._batches.submission_of(request, quote, progress)
        job = await self._client.submit(body_of(request, self._settings))
        return Submission(provider_id=job)

    def _let_go(self, id_: str) -> None:
        if attempt := batched(id_):
            self._batches.let_go(attempt)
        else:
            self._poller.forget(id_)

    def _handed_over(self, task: asyncio.Task[None] | None) -> None:
        if task in self._handing:
            self._handing.discard(task)
            self._handing_over.release()

    def _http(self) -> httpx.AsyncClient:
        if self._open is None:
            key = self._settings.runpod_api_key.get_secret_value()
            self._open = open_http(self._settings.runpod_api_url, key)
        return self._open

    async def _cancel(self, job: str) -> None:
        try:
            await self._client.cancel(job)
        except TransientError as trouble:
            logger.warning("Job %s on RunPod was not cancelled: %s", job, log_line(trouble.what))
        except RefusedError as refused:
            if not refused.is_unknown:
                logger.warning("Job %s on RunPod was not cancelled: %s", job, log_line(refused))

    async def _cancel_all(self, jobs: list[str]) -> None:
        tasks = [asyncio.create_task(self._cancel(job)) for job in jobs]
        done, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            logger.warning(
                "%d of %d jobs on RunPod were not cancelled within %.0f s: their workers stop "
                "when they find that their attempts have ended, or at their time limit.",
                len(late),
                len(done) + len(late),
                CLOSE_SECONDS,
            )
