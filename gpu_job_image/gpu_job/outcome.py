"""How an attempt ends: for its claim, for its bill, and for the process."""

from dataclasses import dataclass, field

from .contract import JobError, Timings
from .errors import JobFailedError, is_out_of_memory, without_addresses
from .stop import StoppedError
from .transfer import TransferError


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended for this worker; `duplicate` when the job is somebody else's.

    retire: this process must not take another job, and why; empty where it may.
    """

    state: str  # done, failed, stopped or duplicate
    error: JobError | None = None
    retire: str = ""


@dataclass
class Stopwatch:
    """Seconds of each step."""

    steps: dict[str, float] = field(default_factory=dict)

    def add(self, step: str, seconds: float) -> None:
        """To what the step has taken already."""
        self.steps[step] = self.steps.get(step, 0.0) + seconds

    def timings(self) -> Timings:
        """As the contract tells them."""
        return Timings(**{step: round(seconds, 4) for step, seconds in self.steps.items()})


def stopped(why: StoppedError) -> JobError:
    """In good order: no attempt is counted for it."""
    return JobError(code="cancelled", permanent=False, message=str(why))


def error_of(crash: Exception) -> JobError:
    """By its kind; never with an address inside."""
    if isinstance(crash, JobFailedError):
        return crash.error
    if isinstance(crash, TransferError) and crash.expired:
        return JobError(
            code="audio_expired",
            permanent=False,
            message=f"{crash}: its addresses are no longer valid; sign them again",
        )
    code = "out_of_memory" if is_out_of_memory(crash) else "internal"
    return JobError(code=code, permanent=False, message=without_addresses(crash))  # type: ignore[arg-type]
