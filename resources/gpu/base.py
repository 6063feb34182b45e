"""What every backend does: the one narrow Protocol between jobs and wherever they run."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from gpu_job.contract import JobRequest
from pipelines.billing.prices import Price
from pipelines.billing.quotes import Capabilities, Health, JobSize, Quote, Speed

from .job_folder import Submission

Progress = Callable[[int], None]  # milliseconds of speech done


@dataclass(frozen=True, slots=True)
class Report:
    """What a backend says of an attempt that is over for it, in its own words: a hint.

    code: the worker's own word for its failure, such as 'cancelled'; empty where none is known.
    """

    status: str
    error: str = ""
    code: str = ""


class Backend(Protocol):
    """A place where jobs run. Its word is a hint; what counts stands in the bucket.

    look_seconds: how often the bucket is looked at, at most, while one of its jobs runs.
    """

    name: str
    sku: str
    capabilities: Capabilities
    look_seconds: float

    def speed(self, job: JobSize) -> Speed:
        """What to plan with before anything is measured."""
        ...

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        """What an attempt at the job would cost and take."""
        ...

    async def health(self) -> Health:
        """Whether it takes jobs now; asks at most every few seconds, and never raises."""
        ...

    def room(self) -> AbstractAsyncContextManager[None]:
        """Waits until one more attempt may begin, and holds the place for it.

        Raises:
            BackendUnavailableError: no job can run here now.
        """
        ...

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:
        """Hand one attempt over; called within `room`. The same attempt may be handed over twice.

        Raises:
            BackendUnavailableError: it was refused, or nobody knows whether it arrived.
        """
        ...

    async def poll(self, submission: Submission | None, wait_seconds: float) -> Report | None:
        """Waits for news of an attempt, at most that long; None while it is not over.

        The submission may be another process's; None, where nobody noted one, is waited for all
        that time. Trouble on the way is no news.
        """
        ...

    async def cancel(self, submission: Submission) -> None:
        """Stop an attempt that must not go on; trouble on the way is logged, and no more."""
        ...

    def console_url(self, submission: Submission) -> str:
        """Where people see the job at its provider; empty where there is no such page."""
        ...

    async def close(self) -> None:
        """End everything that this process started."""
        ...
