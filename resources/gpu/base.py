"""What every backend does: the one narrow Protocol between jobs and wherever they run."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gpu_job.contract import JobRequest

from .job_folder import Submission

Progress = Callable[[int], None]  # milliseconds of speech done


class Backend(Protocol):
    """A place where jobs run. Its word is a hint; what counts stands in the bucket."""

    name: str
    sku: str

    def room(self) -> AbstractAsyncContextManager[None]:
        """Waits until one more attempt may begin, and holds the place for it.

        Raises:
            BackendUnavailableError: no job can run here now.
        """
        ...

    async def submit(self, request: JobRequest, progress: Progress) -> Submission:
        """Hand one attempt over; called within `room`."""
        ...

    async def poll(self, submission: Submission | None, wait_seconds: float) -> bool:
        """Whether this backend is done with the attempt; waits for news at most that long."""
        ...

    async def cancel(self, submission: Submission) -> None:
        """Stop an attempt that must not go on."""
        ...

    async def close(self) -> None:
        """End everything that this process started."""
        ...
