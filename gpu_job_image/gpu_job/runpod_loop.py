"""RunPod's worker loop around the handler: fitness check, lookahead, and a graceful end.

Importing this module imports runpod. `Scaler` holds the changes to its loop (rp_scale.JobScaler of
1.12), and tests/gpu_job/runpod runs it against a RunPod on loopback.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from types import FrameType
from typing import Any

from .common.gpu_memory import Card
from .common.settings import WorkerSettings
from .common.url_redaction import keep_addresses_out
from .liveness import forget, heartbeat, heartbeat_file
from .lookahead import WITH_THE_NEXT
from .runpod_delivery import Delivery, Report, RunPodHandler
from .runpod_sdk import rp_scale, runpod
from .startup_checks import check_card

Make = Callable[[Report], RunPodHandler]


def serve(settings: WorkerSettings, make: Make) -> None:
    """Take jobs until RunPod ends this worker; `make` loads the models and returns the handler."""
    keep_addresses_out()
    forget(heartbeat_file())
    worker = Worker(settings, make)
    runpod.serverless.register_fitness_check(worker.card_and_models_are_ready)
    rp_scale.JobScaler = partial(Scaler, worker)
    runpod.serverless.start({"handler": worker.handle, "concurrency_modifier": worker.concurrency})


class Worker:
    """Creates the handler when it is first needed: in RunPod's fitness check."""

    def __init__(self, settings: WorkerSettings, make: Make) -> None:
        self._settings, self._make = settings, make

    @cached_property
    def handler(self) -> RunPodHandler:
        """The handler, with its models loaded."""
        return self._make(runpod.serverless.progress_update)

    def card_and_models_are_ready(self) -> None:
        """The fitness check: if it raises, RunPod marks the worker unhealthy and shows why."""
        check_card(self._settings, Card.find(self._settings.visible_cards))
        _ = self.handler

    async def handle(self, delivery: Delivery) -> dict[str, Any]:
        """Called by RunPod's SDK for each job."""
        return await self.handler(delivery)

    def concurrency(self, current: int) -> int:
        """How many jobs this worker may hold now."""
        return self.handler.lookahead.concurrency(current)


class Scaler(rp_scale.JobScaler):  # type: ignore[misc]  # runpod has no types
    """RunPod's loop, changed to take a second job while one runs and to end without waiting."""

    def __init__(self, worker: Worker, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._worker = worker
        self.jobs_queue = asyncio.Queue(maxsize=WITH_THE_NEXT)

    async def set_scale(self) -> None:
        """RunPod's version waits until no job is in flight (runpod-python#457): no lookahead."""
        self.current_concurrency = self.concurrency_modifier(self.current_concurrency)

    def handle_shutdown(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM: running jobs stop between two batches and save partial results."""
        self._worker.handler.preempted()
        super().handle_shutdown(signum, frame)

    async def handle_job(self, session: Any, job: Delivery) -> None:  # noqa: ANN401
        """End a process that must not continue; `refresh_worker` alone leaves that to RunPod."""
        try:
            await super().handle_job(session, job)
        finally:
            if self._worker.handler.retired:
                self.kill_worker()

    async def run(self) -> None:
        """Run the loop with a heartbeat, for the health check."""
        beating = asyncio.create_task(heartbeat(heartbeat_file()))
        try:
            await super().run()
        finally:
            beating.cancel()

    async def get_jobs(self, session: Any) -> None:  # noqa: ANN401
        """RunPod's version takes a job after the shutdown and never runs it."""
        await self._until_shutdown(super().get_jobs(session))

    async def monitor_stop_signals(self, session: Any) -> None:  # noqa: ANN401
        """RunPod's version delays the shutdown until its poll is answered, up to 90 s."""
        await self._until_shutdown(super().monitor_stop_signals(session))

    async def _until_shutdown(self, loop: Awaitable[None]) -> None:
        going = asyncio.ensure_future(loop)
        over = asyncio.ensure_future(self._shutdown_event.wait())
        try:
            await asyncio.wait({going, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            going.cancel()
