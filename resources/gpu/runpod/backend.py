"""One endpoint as a backend."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from gpu_job.contract import JobRequest
from pipelines.billing.ceilings import STOP_SECONDS
from pipelines.billing.prices import Price
from pipelines.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, machine_quote
from pipelines.billing.speeds import planned_speed
from pipelines.settings import Settings
from resources.gpu.base import Progress, Report
from resources.gpu.job_folder import Submission
from resources.gpu.model_choice import model_of

from . import addresses
from .answers import RefusedError, TroubleError
from .client import EndpointClient, Time, open_http, payload
from .endpoints import Endpoint
from .health import HealthWatch
from .poller import Poller

CLOSE_SECONDS = 20.0
# in rooms whose job is not handed over yet: a request of an hour of speech takes 0.2 MB until then,
# and RunPod takes 50 of them in a second
HANDED_OVER_AT_ONCE = 100
AHEAD_SECONDS = 60  # a worker takes its next job before the one on its card is done

logger = logging.getLogger(__name__)
REAL_TIME = Time()


class RunPodBackend:
    """At most RUNPOD_JOBS_AT_ONCE attempts; RunPod's queue and autoscaler do the rest."""

    name = "runpod"
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
        self._handing_over = asyncio.Semaphore(HANDED_OVER_AT_ONCE)
        self._handing: set[asyncio.Task[None] | None] = set()
        self._open: httpx.AsyncClient | None = None
        secret = settings.runpod_api_key.get_secret_value()
        self._client = EndpointClient(self._http, endpoint.id, secret, time_)
        self._poller = Poller(self._client.status, secret, time_)
        self._watch = HealthWatch(self._client, endpoint.id, time_.clock)
        self._mine: dict[asyncio.Task[None] | None, list[str]] = {}  # by who is in `room`
        self._left: dict[str, str] = {}  # by whom was interrupted, and what was known of them

    def speed(self, job: JobSize) -> Speed:
        return planned_speed(self.name, job)

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        return machine_quote(job, price, speed)

    async def health(self) -> Health:
        return await self._watch.health()

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """Jobs of a block that ends well are over; those of one that is interrupted are not."""
        task = asyncio.current_task()
        async with self._room:
            await self._handing_over.acquire()
            self._handing.add(task)
            self._mine[task] = []
            try:
                yield
            except BaseException:
                self._left |= {job: self._poller.phase(job) for job in self._mine.get(task, ())}
                raise
            finally:
                self._handed_over(task)
                for job in self._mine.pop(task, ()):
                    self._poller.leave(job)

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:
        limits, settings = request.limits, self._settings
        run_seconds = limits.run_seconds or settings.job_timeout_seconds
        # its worker stops by itself before that, and keeps what it has done
        run_seconds += STOP_SECONDS + AHEAD_SECONDS
        body = payload(request, run_seconds, limits.queue_seconds or settings.queue_limit_seconds)
        try:
            job = await self._client.submit(body)
        finally:
            self._handed_over(asyncio.current_task())
        self._mine.setdefault(asyncio.current_task(), []).append(job)
        self._poller.follow(job, quote, progress)
        return Submission(provider_id=job)

    async def poll(self, submission: Submission | None, wait_seconds: float) -> Report | None:
        if submission is None:
            await self._time.sleep(wait_seconds)
            return None
        return await self._poller.news(submission.provider_id, wait_seconds)

    async def cancel(self, submission: Submission) -> None:
        await self._cancel(submission.provider_id)
        self._poller.hurry(submission.provider_id)

    def console_url(self, submission: Submission) -> str:  # noqa: ARG002  # RunPod has no page of a job
        return addresses.console_page(self._endpoint.id)

    async def close(self) -> None:
        """Cancels what was submitted here and is not over, what runs first, within 20 s."""
        held = [job for jobs in self._mine.values() for job in jobs]
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
        except TroubleError as trouble:
            logger.warning("Job %s on RunPod was not cancelled: %s", job, trouble.what)
        except RefusedError as refused:
            if not refused.is_unknown:
                logger.warning("Job %s on RunPod was not cancelled: %s", job, refused)

    async def _cancel_all(self, jobs: list[str]) -> None:
        tasks = [asyncio.create_task(self._cancel(job)) for job in jobs]
        done, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            logger.warning(
                "%d of %d jobs on RunPod were not cancelled within %.0f s: their workers leave "
                "when they find their attempts over, or their time is up.",
                len(late),
                len(done) + len(late),
                CLOSE_SECONDS,
            )
