"""The Protocol of a cloud's batch service: one machine job is one manifest on one machine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from escriba.billing.quotes import Health
from resources.gpu.backend import AttemptReport

Phase = Literal["waits", "runs", "ended", "unknown"]


@dataclass(frozen=True, slots=True)
class MachineJob:
    """A manifest for one machine.

    name: unique, at most 63 characters of a-z, 0-9 and '-', and the same for each submission of
        the same attempts, so that a second submission finds the first.
    manifest_url: presigned GET; a secret.
    run_limit_seconds: the longest lease of the machine, without its start.
    queue_limit_seconds: the longest wait for a machine.
    labels: for the provider's bill, such as the tenant.
    """

    name: str
    manifest_url: str = field(repr=False)
    run_limit_seconds: int
    queue_limit_seconds: int
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineState:
    """What the provider says about a machine job.

    report: how it ended, for phase `ended`: status COMPLETED with exit status 0; code `cancelled`
    where the machine was taken away or stopped (exit status 4), so that no worker is blamed. A job
    that the provider itself starts again has not ended.
    """

    phase: Phase
    report: AttemptReport | None = None


class MachineProvider(Protocol):
    """One queue of one kind of machine."""

    async def submit(self, job: MachineJob) -> str:
        """Submit it, unless a job of its name exists; returns the provider's id.

        It gives up within 15 s: its attempts have waited for each other, and count as abandoned
        after 60 s.

        Raises:
            BackendUnavailableError: it was refused, or it is unknown whether it arrived.
        """
        ...

    async def states(self, ids: Sequence[str]) -> dict[str, MachineState]:
        """The states of jobs, in as few requests as possible; unknown jobs are missing.

        Raises:
            BackendUnavailableError: the provider does not answer.
        """
        ...

    async def stop(self, ids: Sequence[str]) -> None:
        """Stop jobs, waiting or running; failures are only logged."""
        ...

    async def health(self) -> Health:
        """Whether it accepts jobs now; never raises."""
        ...

    def console_url(self, id_: str) -> str:
        """The job's page in the provider's console."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
