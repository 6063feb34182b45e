"""An orchestrator in a separate process: the real engine, the real client, a real store."""

import asyncio
import hashlib
import random
from datetime import UTC, datetime
from pathlib import Path

import httpx

import resources.gpu.job_orders
from escriba.billing.measured_speeds import MeasuredSpeed
from escriba.billing.permissions import SpendLimits as Money
from escriba.billing.price_book import read_price_book
from escriba.errors import BackendUnavailableError, RecordingError
from escriba.settings import load_settings
from gpu_job.common.audio import sha256_of
from gpu_job.contract import SpeechRegion
from gpu_job.contract.process_identity import here
from resources.gpu.engine import JobEngine
from resources.gpu.fleet import Fleet
from resources.gpu.job_folder import FrozenRequest, JobFolder
from resources.gpu.job_orders import AttemptLimits, order_of
from resources.gpu.reconcile import Reconciler
from resources.gpu.runpod.client import Time
from resources.ledger import writer
from resources.ledger.writer import LedgerWriter
from resources.spending.budget_gate import Budget
from resources.storage import open_storage
from resources.storage.base import StorageError

from .backends import BACKENDS, OPTIONS, RUNPOD
from .child_workers import ChildWorkers
from .recording import AUDIO_MS, REGION_MS, WORK_SECONDS
from .steps import CountedStore, Steps
from .timeline import Line
from .virtual_loop import VirtualLoop
from .wall import live_by

TENANT, AUDIO = "acme", "work/acme/a.mp3/audio.flac"
LIMITS = AttemptLimits(queue_seconds=3_600, run_seconds=7_200)
ENDS = (RecordingError, BackendUnavailableError, StorageError)


def job_of(recording):
    """The job's id."""
    return hashlib.sha256(recording.encode()).hexdigest()


def live(  # noqa: PLR0913  # how it runs, by name
    parent,
    *,
    work,
    timeline,
    began,
    settings,
    recordings,
    backend=RUNPOD,
    place=None,
    begins_after=0.0,
    dies_at=0,
    after=False,
    stops_after=None,
    skew_seconds=0.0,
    elsewhere=False,
    machine="another machine",
    may_hold=False,
    lag_seconds=0.0,
    max_attempts=3,
    seed=1,
):
    """Do `work`: 'run' until all are done, or interrupted after so many seconds; or 'reconcile'.

    elsewhere: as if on another machine, so that its death is not certain here; machine: the boot ID
    that it claims. lag_seconds: the longest delay of the bucket, before an answer and after it.
    place: where child workers of this machine report; None: it has none.
    """
    line = Line(timeline)
    parent.send(here().pid)
    line.sleep(begins_after)
    steps, dice = Steps(dies_at, after), random.Random(seed)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(line, may_hold=may_hold)) as runner:
        loop = runner.get_loop()
        _use(loop, steps, lambda: dice.uniform(0, lag_seconds))
        live_by(loop.time, datetime.fromisoformat(began), skew_seconds)
        if elsewhere:
            away = here().model_copy(update={"boot_id": machine})
            resources.gpu.job_orders.here = lambda: away
        if place is not None:
            ChildWorkers(timeline, line.number, began, place).use()
        context = _RunContext(backend, load_settings(**settings), steps, loop, max_attempts, seed)
        ends = runner.run(
            context.reconcile() if work == "reconcile" else context.run(recordings, stops_after)
        )
    parent.send({"ends": ends, "steps": steps.named, "now": line.now()})


def _use(loop, steps, lag):
    """Replace threads, which would not hold the clock, and count each request as a step."""

    async def in_this_thread(function, *arguments):
        await asyncio.sleep(lag())
        answer = function(*arguments)
        await asyncio.sleep(lag())
        return answer

    send = httpx.AsyncClient.send

    async def counted(client, request, **named):
        path = request.url.path.split("/")
        number = steps.begin(f"{request.method} {path[min(3, len(path) - 1)]}")
        loop.on_their_way += 1
        try:
            return await send(client, request, **named)
        finally:
            loop.on_their_way -= 1
            steps.end(number)

    asyncio.to_thread, httpx.AsyncClient.send = in_this_thread, counted
    writer._GATHER_SECONDS = 0


class _RunContext:
    """Everything that a run needs."""

    def __init__(self, kind, settings, steps, loop, max_attempts, seed):  # noqa: PLR0913, PLR0917
        self.storage = CountedStore(open_storage(settings), steps)
        self.loop, self._steps, dice = loop, steps, random.Random(seed)
        time_ = Time(loop.time, asyncio.sleep, dice.random, lambda: datetime.now(UTC))
        backends = BACKENDS[kind](settings, self.storage, time_)
        budget = Budget(self.storage, Money(day_usd="100"))
        prices = read_price_book(settings.price_book, settings.exchange_rates)
        times = {"clock": loop.time, "sleep": asyncio.sleep}
        self.options = OPTIONS[kind]
        is_diarized = self.options.diarizer != "none"
        key = (backends[0].name, backends[0].sku, self.options.model, is_diarized)
        speeds = {
            key: MeasuredSpeed(rtf=WORK_SECONDS * 1000 / AUDIO_MS, start_seconds=20.0, jobs=100)
        }
        self.fleet = Fleet(
            backends,
            prices,
            budget,
            primary=backends[0].name,
            speeds=lambda: speeds,
            dice=dice,
            **times,
        )
        self.engine = JobEngine(
            self.fleet,
            LedgerWriter(self.storage),
            max_attempts=max_attempts,
            limits=LIMITS,
            **times,
        )

    async def run(self, recordings, stops_after):
        """The end of each recording: 'done', or the error's text."""
        orders = [self.order(recording) for recording in recordings]
        running = asyncio.gather(*(self._one(order) for order in orders))
        try:
            return await asyncio.wait_for(running, stops_after)
        except TimeoutError:
            return ["interrupted"] * len(recordings)
        finally:
            self._steps.end(self._steps.begin("close"))
            await self.engine.close()

    async def _one(self, order):
        try:
            await self.engine.run(order)
        except ENDS as error:
            return f"{type(error).__name__}: {error}"
        return "done"

    async def reconcile(self):
        """The errors of the reconciler; the schedule runs it later than an hour."""
        reconciler = Reconciler(
            self.storage,
            self.fleet,
            self.engine.closing,
            clock=self.loop.time,
            sleep=asyncio.sleep,
            now=lambda: datetime.now(UTC),
        )
        try:
            return (await reconciler.reconcile()).troubles
        finally:
            await self.engine.close()

    def order(self, recording):
        job = job_of(recording)
        count = AUDIO_MS // REGION_MS
        request = FrozenRequest(
            job=job,
            content_sha256="c" * 64,
            options=self.options,
            model_revision="demo@1",
            regions=tuple(
                SpeechRegion(start_ms=n * REGION_MS, end_ms=(n + 1) * REGION_MS)
                for n in range(count)
            ),
            audio_ms=AUDIO_MS,
            recording=recording,
            created_at=datetime.now(UTC),
        )
        with self.storage.local_copy(AUDIO, Path()) as path:
            digest, size = sha256_of(path), path.stat().st_size
        return order_of(
            JobFolder(self.storage, TENANT, job),
            request,
            audio_key=AUDIO,
            audio_sha256=digest,
            audio_channels=1,
            audio_bytes=size,
            progress=lambda _: None,
        )
