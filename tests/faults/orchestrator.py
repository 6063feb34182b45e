"""An orchestrator as a process of its own: the real engine, the real client, a real store."""

import asyncio
import hashlib
import random
from datetime import UTC, datetime
from pathlib import Path

import httpx

import resources.gpu.orders
from gpu_job.audio import sha256_of
from gpu_job.contract import JobOptions, SpeechRegion
from gpu_job.place import here
from pipelines.billing.policy import Limits as Money
from pipelines.billing.prices import read_price_book
from pipelines.billing.speeds import Measured
from pipelines.settings import load_settings
from resources import ledger_writer
from resources.budget import Budget
from resources.failures import BackendUnavailableError, RecordingError
from resources.gpu.engine import JobEngine
from resources.gpu.fleet import Fleet
from resources.gpu.job_folder import FrozenRequest, JobFolder
from resources.gpu.orders import Limits, order_of
from resources.gpu.reconcile import Reconciler
from resources.gpu.runpod.backend import RunPodBackend
from resources.gpu.runpod.client import Time
from resources.gpu.runpod.endpoints import endpoints_of
from resources.ledger_writer import LedgerWriter
from resources.storage import open_storage
from resources.storage.base import StorageError

from .steps import CountedStore, Steps
from .timeline import Line
from .virtual_loop import VirtualLoop
from .wall import live_by

TENANT, AUDIO, AUDIO_MS, REGION_MS = "acme", "work/acme/a.mp3/audio.flac", 2_000, 1_000
WORK_SECONDS = 90.0
LIMITS = Limits(queue_seconds=3_600, run_seconds=7_200)
ENDS = (RecordingError, BackendUnavailableError, StorageError)


def job_of(recording):
    """Its identity."""
    return hashlib.sha256(recording.encode()).hexdigest()


def live(  # noqa: PLR0913  # how it is to live, by name
    parent,
    *,
    work,
    timeline,
    began,
    settings,
    recordings,
    begins_after=0.0,
    dies_at=0,
    after=False,
    stops_after=None,
    skew_seconds=0.0,
    elsewhere=False,
    may_hold=False,
    lag_seconds=0.0,
    max_attempts=3,
    seed=1,
):
    """Do `work`: 'run' until all are done, or interrupted after so many seconds; or 'reconcile'.

    elsewhere: nobody on this machine can tell whether it is dead. lag_seconds: how long the bucket
    takes at most, before an answer and after it.
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
            away = here().model_copy(update={"boot_id": "another machine"})
            resources.gpu.orders.here = lambda: away
        house = _House(load_settings(**settings), steps, loop, max_attempts, seed)
        told = runner.run(
            house.reconcile() if work == "reconcile" else house.run(recordings, stops_after)
        )
    parent.send({"ends": told, "steps": steps.named, "now": line.now()})


def _use(loop, steps, lag):
    """Threads would let time run away, and each request is a step."""

    async def in_this_thread(function, *arguments):
        await asyncio.sleep(lag())
        answer = function(*arguments)
        await asyncio.sleep(lag())
        return answer

    send = httpx.AsyncClient.send

    async def counted(client, request, **named):
        number = steps.begin(f"{request.method} {request.url.path.split('/')[3]}")
        loop.on_their_way += 1
        try:
            return await send(client, request, **named)
        finally:
            loop.on_their_way -= 1
            steps.end(number)

    asyncio.to_thread, httpx.AsyncClient.send = in_this_thread, counted
    ledger_writer._GATHER_SECONDS = 0


class _House:
    """Everything that a run is made of."""

    def __init__(self, settings, steps, loop, max_attempts, seed):
        self.storage = CountedStore(open_storage(settings), steps)
        self.loop, self._steps, dice = loop, steps, random.Random(seed)
        time_ = Time(loop.time, asyncio.sleep, dice.random, lambda: datetime.now(UTC))
        backends = [RunPodBackend(settings, one, time_) for one in endpoints_of(settings)]
        budget = Budget(self.storage, Money(day_usd="100"))
        prices = read_price_book(settings.price_book)
        times = {"clock": loop.time, "sleep": asyncio.sleep}
        key = (backends[0].name, backends[0].sku, "demo", False)
        speeds = {key: Measured(rtf=WORK_SECONDS * 1000 / AUDIO_MS, start_seconds=20.0, jobs=100)}
        self.fleet = Fleet(
            backends, prices, budget, primary="runpod", speeds=lambda: speeds, dice=dice, **times
        )
        self.engine = JobEngine(
            self.fleet,
            LedgerWriter(self.storage),
            max_attempts=max_attempts,
            limits=LIMITS,
            **times,
        )

    async def run(self, recordings, stops_after):
        """What became of each: 'done', or the error's text."""
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
        """Names and troubles; an hour and more after what lies there, as the schedule does."""
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
            options=JobOptions(model="demo", diarizer="none"),
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
