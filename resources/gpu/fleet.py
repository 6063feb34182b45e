"""All backends of a run: the choice of one for each job, and the state of each."""

import asyncio
import dataclasses
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NoReturn

from escriba.billing.circuit_breaker import CircuitBreaker
from escriba.billing.measured_speeds import MeasuredSpeed, speed_of
from escriba.billing.permissions import BudgetLeft, Priority
from escriba.billing.price_book import PriceBook, PriceBookError
from escriba.billing.quote_ceiling import with_ceiling
from escriba.billing.quotes import Health, Quote, quote_at_time_prices
from escriba.billing.routing import BackendOffer, Route, route
from escriba.errors import BackendUnavailableError, OverBudgetError, RecordingError
from gpu_job.contract import CloudMachine
from resources.spending.budget_gate import Budget

from .backend import Backend
from .backend_state import BackendState, ChosenBackend
from .job_folder import now
from .job_orders import JobOrder
from .waiting_jobs import WaitingJobs

Name = tuple[str, str]  # backend and sku
Speeds = Mapping[tuple[str, str, str, bool], MeasuredSpeed]
# USD per hour of a machine between two moments; None: unknown, and the price book applies
SpotPriceOf = Callable[[CloudMachine, datetime, datetime], Decimal | None]
_PATIENCE_SECONDS = 3_600.0  # an unattended run survives an outage of an hour
_LOOK_AGAIN_SECONDS = 15.0


@dataclass
class Fleet:
    """The backends with their prices, speeds and limits.

    speeds: called once, in a thread, for the first job. spot_price: called in a thread when an
    attempt on a spot machine has ended. store_health: whether the store allows paid backends.
    """

    backends: Sequence[Backend]
    prices: PriceBook
    budget: Budget
    primary: str = "auto"
    priority: Priority = "cost"
    speeds: Callable[[], Speeds] = dict
    spot_price: SpotPriceOf = lambda _machine, _since, _until: None
    store_health: Callable[[], Awaitable[Health]] | None = None
    waiting: WaitingJobs = field(default_factory=WaitingJobs)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: random.Random = field(default_factory=random.Random)
    _measured: Speeds | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._states = {
            (backend.name, backend.sku): BackendState(backend, self._circuit(), self._circuit())
            for backend in self.backends
        }

    def _circuit(self) -> CircuitBreaker:
        return CircuitBreaker(clock=self.clock, jitter=self.dice.random)

    def jittered(self, seconds: float) -> float:
        """Between 0.5 and 1.5 times as long, so that waiting jobs do not retry together."""
        return seconds * (0.5 + self.dice.random())

    def of(self, backend: str, sku: str) -> BackendState | None:
        """The backend of an attempt; None if it is no longer set up."""
        return self._states.get((backend, sku))

    def circuit_open_seconds(self) -> dict[str, float]:
        """How long each backend has been cut off; of several kinds of machine, the longest."""
        found: dict[str, float] = {}
        for (backend, _), state in self._states.items():
            found[backend] = max(found.get(backend, 0.0), state.failing_seconds())
        return found

    async def choose(
        self,
        order: JobOrder,
        most_run_seconds: int,
        stops: int = 0,
        avoided: frozenset[Name] = frozenset(),
    ) -> ChosenBackend:
        """The backend for the job's next attempt; waits while one may recover.

        stops: how often the job was stopped at the end of its reservation. avoided: where no worker
        started it within its queue limit: they count as degraded for this job.

        Raises:
            OverBudgetError: every backend would exceed a budget limit.
            BackendUnavailableError: no backend accepts jobs, and waiting did not help.
            RecordingError: no backend may ever run this job.
        """
        since = self.clock()
        with self.waiting.waiting(order.folder.job):
            while True:
                offers = await self._offers(order, most_run_seconds, stops)
                offers = [_avoided(one) if one.place in avoided else one for one in offers]
                left = await self._left(order)
                verdict = self._route(order, offers, left)
                if verdict.backend:
                    return self._chosen(verdict, offers)
                if not self._may_recover(verdict, left, self.clock() - since):
                    refuse(verdict, left)
                self.waiting.wait(order.folder.job, verdict.reason)
                await self.sleep(self.jittered(_LOOK_AGAIN_SECONDS))

    def _route(
        self, order: JobOrder, offers: Sequence[BackendOffer], left: Sequence[BudgetLeft]
    ) -> Route:
        return route(
            order.size,
            offers,
            primary=order.preferred or self.primary,
            preferred_by="SPEAKERS_BACKEND" if order.preferred else "PRIMARY_BACKEND",
            priority=self.priority,
            permission=order.permission,
            left=left,
        )

    async def close(self) -> None:
        """Stop everything that this process started."""
        await asyncio.gather(*(backend.close() for backend in self.backends))

    def _may_recover(
        self, verdict: Route, left: Sequence[BudgetLeft], waited_seconds: float
    ) -> bool:
        """Whether waiting may help, and no limit of all backends is the cause.

        The time that a backend has failed counts for all jobs together: each job returns here after
        every probe, and would otherwise wait for another hour.
        """
        down = verdict.blocked("health")
        recoverable = [self._states[one.backend, one.sku] for one in down if not one.lasting]
        failing_seconds = min((one.failing_seconds() for one in recoverable), default=0.0)
        is_patient = max(waited_seconds, failing_seconds) <= _PATIENCE_SECONDS
        common = [one for one in left if not one.backend]
        return bool(recoverable) and is_patient and not _over(verdict, common)

    def _chosen(self, verdict: Route, offers: Sequence[BackendOffer]) -> ChosenBackend:
        chosen = (verdict.backend, verdict.sku)
        quote = next(o.quote for o in offers if (o.quote.backend, o.quote.sku) == chosen)
        return ChosenBackend(self._states[chosen], quote, verdict)

    async def _offers(
        self, order: JobOrder, most_run_seconds: int, stops: int
    ) -> list[BackendOffer]:
        """Each backend with a quote at current prices; without any price, raises."""
        await self._measure()
        store = await self._store_health()
        offers, unpriced = [], None
        for state in self._states.values():
            try:
                quote = self._quote(state.backend, order, most_run_seconds, stops)
            except PriceBookError as error:
                unpriced = error
                continue
            is_barred = store.state == "down" and state.backend.capabilities.paid
            health = store if is_barred else await state.health()
            offers.append(BackendOffer(quote, state.backend.capabilities, health))
        if unpriced is not None and not offers:
            raise unpriced
        return offers

    def _quote(self, backend: Backend, order: JobOrder, most_run_seconds: int, stops: int) -> Quote:
        began = now()
        price = self.prices.at(backend.name, backend.sku, began)
        planned = backend.speed(order.size)
        speed = speed_of(order.size, backend.name, backend.sku, planned, self._measured or {})
        rate = self.prices.tariff(backend.name, backend.sku, began)
        quote = quote_at_time_prices(backend.quote(order.size, price, speed), rate, began)
        return with_ceiling(quote, price, backend.capabilities, most_run_seconds, stops)

    async def _measure(self) -> None:
        async with self._reading:
            if self._measured is None:
                paid = any(backend.capabilities.paid for backend in self.backends)
                several = len(self.backends) > 1
                self._measured = await asyncio.to_thread(self.speeds) if paid or several else {}

    async def _store_health(self) -> Health:
        """Not asked without paid backends."""
        is_paid = any(backend.capabilities.paid for backend in self.backends)
        if self.store_health is None or not is_paid:
            return Health("well")
        return await self.store_health()

    async def _left(self, order: JobOrder) -> list[BudgetLeft]:
        """What the limits still allow; not computed without paid backends."""
        if not any(backend.capabilities.paid for backend in self.backends):
            return []
        return await self.budget.left(order.folder.tenant, order.permission)


def _avoided(offer: BackendOffer) -> BackendOffer:
    """The offer to a job that waited there in vain."""
    if offer.health.state == "down":
        return offer
    reason = "no worker there started this job within its queue limit"
    return dataclasses.replace(offer, health=Health("degraded", reason))


def _over(verdict: Route, left: Sequence[BudgetLeft]) -> bool:
    """Whether these limits exclude a backend."""
    most = min((one.left_usd for one in left), default=None)
    return most is not None and any(one.ceiling_usd > most for one in verdict.blocked("budget"))


def refuse(verdict: Route, left: Sequence[BudgetLeft]) -> NoReturn:
    """Raise the error that tells why no backend can run the job."""
    over = verdict.blocked("budget")
    if over:
        cheapest = min(over, key=lambda one: one.ceiling_usd)
        limits = [one for one in left if one.applies_to(cheapest.backend)]
        tightest = min(limits, key=lambda one: one.left_usd)
        raise OverBudgetError(
            f"{verdict.reason.rstrip('.')}.",
            f"No action is needed: it runs when {tightest.limit} allows it.",
            needs_usd=cheapest.ceiling_usd,
        )
    if verdict.blocked("health"):
        raise BackendUnavailableError(verdict.reason)
    raise RecordingError(
        "no_backend",
        f"{verdict.reason.rstrip('.')}.",
        "Set up a backend that may run it, or change the tenant's permissions (docs/routing.md).",
        permanent=False,
    )
