"""RunPod's own worker loop around the handler: fitness, look-ahead, and an end in good order.

Importing this module imports runpod. What is changed of its loop (rp_scale.JobScaler of 1.12)
stands in `Scaler`, and tests/worker run it against a RunPod on loopback.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from types import FrameType
from typing import Any

from .card import Card
from .fitness import check_card
from .logs import keep_addresses_out
from .lookahead import WITH_THE_NEXT
from .pulse import beat, forget, pulse_file
from .runpod_handler import Delivery, RunPodHandler, Tell
from .runpod_sdk import rp_scale, runpod
from .settings import WorkerSettings

Make = Callable[[Tell], RunPodHandler]


def serve(settings: WorkerSettings, make: Make) -> None:
    """Take jobs until RunPod ends this worker; `make` loads the models."""
    keep_addresses_out()
    forget(pulse_file())
    worker = Worker(settings, make)
    runpod.serverless.register_fitness_check(worker.card_and_models_are_ready)
    rp_scale.JobScaler = partial(Scaler, worker)
    runpod.serverless.start({"handler": worker.handle, "concurrency_modifier": worker.concurrency})


class Worker:
    """The handler, from the moment that it is needed: the fitness check, on RunPod."""

    def __init__(self, settings: WorkerSettings, make: Make) -> None:
        self._settings, self._make = settings, make

    @cached_property
    def handler(self) -> RunPodHandler:
        """With its models loaded."""
        return self._make(runpod.serverless.progress_update)

    def card_and_models_are_ready(self) -> None:
        """RunPod calls a worker unhealthy, and tells why, where this raises."""
        check_card(self._settings, Card.find(self._settings.visible_cards))
        _ = self.handler

    async def handle(self, delivery: Delivery) -> dict[str, Any]:
        """What RunPod's SDK calls for each job."""
        return await self.handler(delivery)

    def concurrency(self, current: int) -> int:
        """How many jobs this worker may have now."""
        return self.handler.lookahead.concurrency(current)


class Scaler(rp_scale.JobScaler):  # type: ignore[misc]  # runpod has no types
    """RunPod's loop, which takes a second job while one runs, and ends without waiting."""

    def __init__(self, worker: Worker, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._worker = worker
        self.jobs_queue = asyncio.Queue(maxsize=WITH_THE_NEXT)

    async def set_scale(self) -> None:
        """RunPod's own waits until no job is in flight (runpod-python#457): no look-ahead then."""
        self.current_concurrency = self.concurrency_modifier(self.current_concurrency)

    def handle_shutdown(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM: what runs stops between two batches and keeps what it has."""
        self._worker.handler.preempted()
        super().handle_shutdown(signum, frame)

    async def handle_job(self, session: Any, job: Delivery) -> None:  # noqa: ANN401
        """A process that must not go on ends; `refresh_worker` alone leaves that to RunPod."""
        try:
            await super().handle_job(session, job)
        finally:
            if self._worker.handler.retired:
                self.kill_worker()

    async def run(self) -> None:
        """With a pulse, for the health check."""
        pulse = asyncio.create_task(beat(pulse_file()))
        try:
            await super().run()
        finally:
            pulse.cancel()

    async def get_jobs(self, session: Any) -> None:  # noqa: ANN401
        """RunPod's own would take a job after the shutdown, which nobody runs."""
        await self._until_shutdown(super().get_jobs(session))

    async def monitor_stop_signals(self, session: Any) -> None:  # noqa: ANN401
        """RunPod's own holds the shutdown up until its poll is answered, for 90 s at most."""
        await self._until_shutdown(super().monitor_stop_signals(session))

    async def _until_shutdown(self, loop: Awaitable[None]) -> None:
        going = asyncio.ensure_future(loop)
        over = asyncio.ensure_future(self._shutdown_event.wait())
        try:
            await asyncio.wait({going, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            going.cancel()
