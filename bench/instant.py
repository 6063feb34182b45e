"""A backend for measuring everything but the models: its worker answers when it is asked to."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from escriba.billing.price_book import Price
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, machine_quote
from gpu_job import transfer
from gpu_job.contract import JobRequest, JobResult, Lease, Segment, Usage, Word, process_identity
from resources.gpu.backend import AttemptReport, Progress
from resources.gpu.job_folder import Submission


class InstantBackend:
    """Takes any number of jobs; each is done `delay_seconds` after it was handed over."""

    name, sku = "local", "this-machine"
    capabilities = Capabilities(paid=False, third_party=False)
    look_seconds = 15.0

    def __init__(self, delay_seconds: float = 0.0) -> None:
        self._delay = delay_seconds
        self._jobs: dict[str, tuple[JobRequest, float]] = {}
        self.cancelled = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Never full."""
        yield

    def speed(self, _job: JobSize) -> Speed:
        """Nobody asks for more."""
        return Speed(0.5, 5.0, "planned")

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        """As the local backend's."""
        return machine_quote(job, price, speed)

    async def health(self) -> Health:
        """Always well."""
        return Health("well")

    def console_url(self, _submission: Submission) -> str:
        """It has no pages."""
        return ""

    async def submit(self, request: JobRequest, _quote: Quote, _progress: Progress) -> Submission:
        """Due in `delay_seconds`."""
        name = f"{request.job}/{request.attempt}"
        self._jobs[name] = (request, time.monotonic() + self._delay)
        return Submission(provider_id=name)

    async def poll(
        self, submission: Submission | None, wait_seconds: float
    ) -> AttemptReport | None:
        """A report when its answer lies in the bucket."""
        request, due = self._jobs.get(submission.provider_id if submission else "", (None, 0.0))
        left = due - time.monotonic()
        if request is None or left > wait_seconds:
            await asyncio.sleep(wait_seconds)
            return AttemptReport("dead") if request is None else None
        await asyncio.sleep(max(0.0, left))
        await asyncio.to_thread(_answer, request)
        return AttemptReport("ended")

    async def cancel(self, submission: Submission) -> None:
        """No answer will come."""
        self._jobs.pop(submission.provider_id, None)

    async def close(self) -> None:
        """Tells how many were still waiting."""
        self.cancelled = len(self._jobs)


def _answer(request: JobRequest) -> None:
    """What a worker writes: its claim, the result, and its last beat."""
    now = datetime.now(UTC)
    usage = Usage(worker="instant", place=process_identity.here(), started_at=now, ended_at=now)
    claim = Lease(nonce=request.nonce, state="running", usage=usage)
    transfer.put(request.addresses.claim_create, claim.model_dump_json().encode())
    region = request.regions[0]
    word = Word(start_ms=region.start_ms, end_ms=region.end_ms, text="bom dia", probability=1.0)
    segment = Segment(start_ms=word.start_ms, end_ms=word.end_ms, words=(word,))
    result = JobResult(
        job=request.job,
        attempt=request.attempt,
        nonce=request.nonce,
        language="pt",
        language_probability=1.0,
        model_revision=request.model_revision,
        segments=(segment,),
        turns=(),
        usage=usage,
    )
    transfer.put(request.addresses.result_create, result.model_dump_json().encode())
    done = claim.model_copy(update={"state": "done"})
    transfer.put(request.addresses.claim_beat, done.model_dump_json().encode())
