"""The state of a backend in this process, and the backend that is chosen for a job."""

from dataclasses import dataclass

from escriba.billing.circuit_breaker import CircuitBreaker
from escriba.billing.quotes import Health, Quote
from escriba.billing.routing import Route

from .backend import Backend

_ORDER = ("down", "degraded", "well")


@dataclass
class BackendState:
    """A backend with two circuit breakers.

    submissions: whether it accepts jobs. workers: whether its workers start them.
    """

    backend: Backend
    submissions: CircuitBreaker
    workers: CircuitBreaker
    last_reason: str = ""  # why it was not well when it was last asked

    @property
    def circuits(self) -> tuple[CircuitBreaker, CircuitBreaker]:
        """Both circuit breakers."""
        return self.submissions, self.workers

    async def health(self) -> Health:
        """The worst of the backend's own report and of both circuit breakers."""
        states = [circuit.state for circuit in self.circuits]
        worst = min(states, key=lambda health: _ORDER.index(health.state))
        if worst.state != "down":
            reported = await self.backend.health()
            worst = min((reported, worst), key=lambda health: _ORDER.index(health.state))
        self.last_reason = "" if worst.state == "well" else worst.reason
        return worst

    def may_try(self) -> bool:
        """Whether a job may be submitted now; a half-open circuit breaker allows one."""
        if not self.submissions.may_try():
            return False
        if self.workers.may_try():
            return True
        self.submissions.abandoned()
        return False

    def failing_seconds(self) -> float:
        """How long jobs have failed there, without a success."""
        return max(circuit.open_seconds() for circuit in self.circuits)

    def abandoned(self) -> None:
        """A probing job ended without showing whether the backend works."""
        for circuit in self.circuits:
            circuit.abandoned()


@dataclass(frozen=True)
class ChosenBackend:
    """The backend for a job's next attempt, its quote, and why it was chosen."""

    state: BackendState
    quote: Quote
    route: Route

    @property
    def backend(self) -> Backend:
        """The backend itself."""
        return self.state.backend
