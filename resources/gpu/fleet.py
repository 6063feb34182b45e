"""All backends of a run: which of them gets a job now, and how each one has fared so far."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from pipelines.billing.ceilings import with_ceiling
from pipelines.billing.circuit import Circuit
from pipelines.billing.policy import Left, Priority
from pipelines.billing.prices import PriceBook, PriceBookError
from pipelines.billing.quotes import Health, Quote, at_its_time
from pipelines.billing.routing import Offer, Route, route
from pipelines.billing.speeds import Measured, speed_of
from resources.budget import Budget
from resources.failures import BackendUnavailableError, OverBudgetError, RecordingError

from .base import Backend
from .job_folder import now
from .orders import Order

Speeds = Mapping[tuple[str, str, str, bool], Measured]
_PATIENCE_SECONDS = 3_600.0  # a night nobody watches outlasts an hour of trouble
_LOOK_AGAIN_SECONDS = 15.0
_ORDER = ("down", "degraded", "well")


@dataclass
class Standing:
    """A backend, with two circuits: whether it takes jobs, and whether its workers take them up."""

    backend: Backend
    door: Circuit
    workers: Circuit

    @property
    def circuits(self) -> tuple[Circuit, Circuit]:
        """Both."""
        return self.door, self.workers

    async def health(self) -> Health:
        """The worst of what it says itself and of what was seen of it."""
        seen = [circuit.state for circuit in self.circuits]
        worst = min(seen, key=lambda health: _ORDER.index(health.state))
        if worst.state == "down":
            return worst
        said = await self.backend.health()
        return min((said, worst), key=lambda health: _ORDER.index(health.state))

    def may_try(self) -> bool:
        """Whether a job may go there at this moment; a half-open circuit lets one through."""
        if not self.door.may_try():
            return False
        if self.workers.may_try():
            return True
        self.door.abandoned()
        return False

    def ill_seconds(self) -> float:
        """For how long jobs have tried it in vain."""
        return max(circuit.ill_seconds() for circuit in self.circuits)

    def abandoned(self) -> None:
        """A job that was let through brought no news."""
        for circuit in self.circuits:
            circuit.abandoned()


@dataclass(frozen=True)
class Chosen:
    """Where a job goes, for what it is quoted, and why."""

    standing: Standing
    quote: Quote
    route: Route

    @property
    def backend(self) -> Backend:
        """The backend itself."""
        return self.standing.backend


@dataclass
class Fleet:
    """The backends with their prices, speeds and limits.

    `speeds` is called once, in a thread, when the first job asks.
    """

    backends: Sequence[Backend]
    prices: PriceBook
    budget: Budget
    primary: str = "auto"
    priority: Priority = "cost"
    speeds: Callable[[], Speeds] = dict
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: random.Random = field(default_factory=random.Random)
    _measured: Speeds | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._standing = {
            (backend.name, backend.sku): Standing(backend, self._circuit(), self._circuit())
            for backend in self.backends
        }

    def _circuit(self) -> Circuit:
        return Circuit(clock=self.clock, jitter=self.dice.random)

    def jittered(self, seconds: float) -> float:
        """Between half of it and half as long again: who waits together does not come together."""
        return seconds * (0.5 + self.dice.random())

    def of(self, backend: str, sku: str) -> Standing | None:
        """The one that an attempt went to; None where it is not set up any more."""
        return self._standing.get((backend, sku))

    async def choose(self, order: Order, most_run_seconds: int, stops: int = 0) -> Chosen:
        """The backend for the job's next attempt; waits while it may become well again.

        stops: how often the job was stopped where its reservation ended.

        Raises:
            OverBudgetError: a limit would be passed.
            BackendUnavailableError: nobody takes jobs, and waiting did not help.
            RecordingError: no backend may take this job, whatever the time.
        """
        since = self.clock()
        while True:
            offers = await self._offers(order, most_run_seconds, stops)
            left = await self._left(order)
            verdict = route(
                order.size,
                offers,
                primary=self.primary,
                priority=self.priority,
                permission=order.permission,
                left=left,
            )
            if verdict.backend:
                return self._chosen(verdict, offers)
            if not self._may_recover(verdict, self.clock() - since):
                refuse(verdict, left)
            await self.sleep(self.jittered(_LOOK_AGAIN_SECONDS))

    async def close(self) -> None:
        """End everything that this process started."""
        await asyncio.gather(*(backend.close() for backend in self.backends))

    def _may_recover(self, verdict: Route, waited_seconds: float) -> bool:
        """Whether waiting may help, and money is not what is missing.

        How long a backend is ill counts for all jobs together: each comes back here after every
        probe, and would wait an hour from then on.
        """
        down = verdict.blocked("health")
        hopes = [self._standing[one.backend, one.sku] for one in down if not one.lasting]
        ill_seconds = min((one.ill_seconds() for one in hopes), default=0.0)
        patient = max(waited_seconds, ill_seconds) <= _PATIENCE_SECONDS
        return bool(hopes) and patient and not verdict.blocked("budget")

    def _chosen(self, verdict: Route, offers: Sequence[Offer]) -> Chosen:
        chosen = (verdict.backend, verdict.sku)
        quote = next(o.quote for o in offers if (o.quote.backend, o.quote.sku) == chosen)
        return Chosen(self._standing[chosen], quote, verdict)

    async def _offers(self, order: Order, most_run_seconds: int, stops: int) -> list[Offer]:
        """Each with a quote at the prices from this moment on; unknown ones block."""
        await self._measure()
        offers, unpriced = [], None
        for standing in self._standing.values():
            try:
                quote = self._quote(standing.backend, order, most_run_seconds, stops)
            except PriceBookError as error:
                unpriced = error
                continue
            health = await standing.health()
            offers.append(Offer(quote, standing.backend.capabilities, health))
        if unpriced is not None and not offers:
            raise unpriced
        return offers

    def _quote(self, backend: Backend, order: Order, most_run_seconds: int, stops: int) -> Quote:
        began = now()
        price = self.prices.at(backend.name, backend.sku, began)
        planned = backend.speed(order.size)
        speed = speed_of(order.size, backend.name, backend.sku, planned, self._measured or {})
        rate = self.prices.tariff(backend.name, backend.sku, began)
        quote = at_its_time(backend.quote(order.size, price, speed), rate, began)
        return with_ceiling(quote, price, backend.capabilities, most_run_seconds, stops)

    async def _measure(self) -> None:
        async with self._reading:
            if self._measured is None:
                paid = any(backend.capabilities.paid for backend in self.backends)
                several = len(self.backends) > 1
                self._measured = await asyncio.to_thread(self.speeds) if paid or several else {}

    async def _left(self, order: Order) -> list[Left]:
        """Nothing is asked where nobody pays."""
        if not any(backend.capabilities.paid for backend in self.backends):
            return []
        return await self.budget.left(order.folder.tenant, order.permission)


def refuse(verdict: Route, left: Sequence[Left]) -> NoReturn:
    """Raise what stands in the way of everybody."""
    over = verdict.blocked("budget")
    if over:
        cheapest = min(over, key=lambda one: one.ceiling_usd)
        tightest = min(left, key=lambda one: one.left_usd)
        raise OverBudgetError(
            f"{verdict.reason.rstrip('.')}.",
            f"Nothing is to be done: it is taken up when {tightest.limit} allows it.",
            needs_usd=cheapest.ceiling_usd,
        )
    if verdict.blocked("health"):
        raise BackendUnavailableError(verdict.reason)
    raise RecordingError(
        "no_backend",
        f"{verdict.reason.rstrip('.')}.",
        "Set up a backend that may take it, or change what the tenant permits (docs/routing.md).",
        permanent=False,
    )
