"""How an attempt ends: the outcome, its timings, and whether the process continues."""

from dataclasses import dataclass, field

from .common.errors import JobFailedError, is_out_of_memory, without_addresses
from .contract import JobError, Timings
from .stop_request import StoppedError
from .transfer import TransferError


@dataclass(frozen=True)
class AttemptOutcome:
    """How an attempt ended for this worker; `duplicate` if another owner has the job.

    retire: why this process must not take another job; empty if it may.
    """

    state: str  # done, failed, stopped or duplicate
    error: JobError | None = None
    retire: str = ""


@dataclass
class Stopwatch:
    """Seconds of each step."""

    steps: dict[str, float] = field(default_factory=dict)

    def add(self, step: str, seconds: float) -> None:
        """Add seconds to a step."""
        self.steps[step] = self.steps.get(step, 0.0) + seconds

    def timings(self) -> Timings:
        """The steps as the contract's `Timings`."""
        return Timings(**{step: round(seconds, 4) for step, seconds in self.steps.items()})


def stopped(why: StoppedError) -> JobError:
    """The error of a requested stop; it does not count as a failed attempt."""
    return JobError(code="cancelled", permanent=False, message=str(why), reason=why.reason)


def error_of(crash: Exception) -> JobError:
    """The error of an exception, by its type; it never contains an address."""
    if isinstance(crash, JobFailedError):
        return crash.error
    if isinstance(crash, TransferError) and crash.expired:
        return JobError(
            code="audio_expired",
            permanent=False,
            message=f"{crash}: the presigned addresses have expired; submit the job again",
        )
    code = "out_of_memory" if is_out_of_memory(crash) else "internal"
    return JobError(code=code, permanent=False, message=without_addresses(crash))  # type: ignore[arg-type]
