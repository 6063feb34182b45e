"""The one Protocol between jobs and the places where they run: what every backend does."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from escriba.billing.price_book import Price
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote, Speed
from gpu_job.contract import JobRequest

from .job_folder import Submission

Progress = Callable[[int], None]  # milliseconds of speech done


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """What a backend reports about an attempt that it calls ended, in its own terms: a hint.

    code: the worker's own code for its failure, such as 'cancelled'; empty if unknown.
    """

    status: str
    error: str = ""
    code: str = ""


@runtime_checkable
class PreparesByJob(Protocol):
    """A backend whose slot depends on the job: one for the speakers alone needs no speech model."""

    def slot_for(self, job: JobSize) -> AbstractAsyncContextManager[None]:
        """As `Backend.slot`, for a job of that kind."""
        ...


class Backend(Protocol):
    """A place where jobs run. Its reports are hints; the bucket decides.

    look_seconds: the longest time between two looks into the bucket while one of its jobs runs.
    """

    name: str
    sku: str
    capabilities: Capabilities
    look_seconds: float

    def speed(self, job: JobSize) -> Speed:
        """The planned speed, used before one is measured."""
        ...

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        """The cost and the duration of an attempt at the job."""
        ...

    async def health(self) -> Health:
        """Whether it accepts jobs now; sends a request every few seconds at most; never raises."""
        ...

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait until another attempt may start, and hold a slot for it.

        Raises:
            BackendUnavailableError: no job can run here now.
        """
        ...

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:
        """Submit one attempt, within `slot`. The same attempt may be submitted twice.

        Raises:
            BackendUnavailableError: it was refused, or it is unknown whether it arrived.
        """
        ...

    async def poll(
        self, submission: Submission | None, wait_seconds: float
    ) -> AttemptReport | None:
        """Wait for the end of an attempt, up to that long; None while it has not ended.

        submission: possibly another process's. None: none was recorded; waits the whole time. A
        failed request counts as no report.
        """
        ...

    async def cancel(self, submission: Submission) -> None:
        """Stop an attempt; failures are only logged."""
        ...

    def console_url(self, submission: Submission) -> str:
        """The job's page at its provider; empty if there is none."""
        ...

    async def close(self) -> None:
        """Stop everything that this process started."""
        ...


def slot_for(backend: Backend, job: JobSize) -> AbstractAsyncContextManager[None]:
    """A slot of the backend, prepared for that job where the backend can do so."""
    return backend.slot_for(job) if isinstance(backend, PreparesByJob) else backend.slot()
