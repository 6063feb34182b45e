"""Prices recordings on every backend and routes them: the sums of `escriba estimate`."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from escriba.backend_names import LOCAL
from escriba.billing.estimates import Candidate, Estimate, estimate, planned_candidate
from escriba.billing.measured_speeds import Key, MeasuredSpeed, speed_of
from escriba.billing.permissions import BudgetLeft, Permission, Priority
from escriba.billing.price_book import NANODOLLAR, PriceBook, total
from escriba.billing.quote_ceiling import with_ceiling
from escriba.billing.quotes import Health, JobSize, Speed
from escriba.billing.routing import BackendOffer, Route, route
from escriba.settings import Settings
from intake.tenants import tenant_permission
from resources.gpu.backend import Backend
from resources.gpu.open_engine import open_budget
from resources.gpu.registry import open_backends
from resources.price_book import open_price_book
from resources.storage.base import Storage

from .excluded_backends import Exclusion, excluded_backends
from .recording_sizes import SizedRecording

_HEALTHY = Health("well")  # an estimate makes no requests and assumes healthy backends

Name = tuple[str, str]  # backend and sku


@dataclass(frozen=True)
class EstimateSetup:
    """The configured backends, with prices and measured speeds as of `now`."""

    settings: Settings
    prices: PriceBook
    backends: Mapping[Name, Backend]
    measured: Mapping[Key, MeasuredSpeed]
    priority: Priority
    now: datetime

    def candidate(self, name: Name) -> Candidate:
        """Return a backend as a candidate of an estimate."""
        backend = self.backends[name]
        price = self.prices.at(*name, self.now)

        def speed(job: JobSize) -> Speed:
            return speed_of(job, *name, backend.speed(job), self.measured)

        idle_seconds = backend.capabilities.idle_seconds
        return Candidate(price, speed, backend.quote, self.workers(name[0]), idle_seconds)

    def workers(self, backend: str) -> int:
        """Return how many jobs run concurrently; RUNPOD_WORKERS_MAX is used for every cloud."""
        local = backend == LOCAL
        return self.settings.local_workers if local else self.settings.runpod_workers_max


@dataclass(frozen=True)
class Limit:
    """A budget limit and what the recordings need of it.

    left_usd: by the budget gate's own count. needs_usd: expected cost, with a cold start for each
    recording and the idle time of the workers. most_usd: the highest cost of one recording, which
    must be left before it starts.
    """

    name: str
    limit_usd: Decimal
    left_usd: Decimal
    needs_usd: Decimal
    most_usd: Decimal = Decimal(0)

    @property
    def is_exceeded(self) -> bool:
        """Whether some recordings would have to wait."""
        return max(self.needs_usd, self.most_usd) > self.left_usd


@dataclass
class EstimatePlan:
    """The result of an estimate.

    here, elsewhere: every configured backend, and every other line of the price book. routed:
    where the recordings would go now. excluded: the configured backends that cannot take some of
    them. unroutable: how many have no backend.
    """

    here: list[Estimate] = field(default_factory=list)
    elsewhere: list[Estimate] = field(default_factory=list)
    routed: list[Estimate] = field(default_factory=list)
    excluded: list[Exclusion] = field(default_factory=list)
    unroutable: int = 0
    limits: list[Limit] = field(default_factory=list)


def open_setup(
    settings: Settings, measured: Mapping[Key, MeasuredSpeed], priority: Priority
) -> EstimateSetup:
    """Open the configured backends; makes no requests.

    Raises:
        SettingsError: PRIMARY_BACKEND is not set up.
        PriceBookError: the price book cannot be read.
    """
    backends = {(one.name, one.sku): one for one in open_backends(settings)}
    prices = open_price_book(settings)
    return EstimateSetup(settings, prices, backends, measured, priority, datetime.now(UTC))


def plan(sized: Sequence[SizedRecording], setup: EstimateSetup, storage: Storage) -> EstimatePlan:
    """Price the jobs of the recordings on every backend, and find where each would go.

    Raises:
        PriceBookError: a configured backend has no price.
        SettingsError: tenants.yaml is invalid.
    """
    jobs = [one.size for one in sized]
    sized = [replace(one, size=job) for one in sized for job in one.jobs(setup.settings)]
    candidates = {name: setup.candidate(name) for name in setup.backends}
    routes = [_route(one, candidates, setup) for one in sized]
    permitted: dict[Name, list[JobSize]] = {name: [] for name in candidates}
    routed: defaultdict[Name, list[JobSize]] = defaultdict(list)
    for one, found in zip(sized, routes, strict=True):
        for considered in found.considered:
            if not considered.excluded:
                permitted[considered.backend, considered.sku].append(one.size)
        if found.backend:
            routed[found.backend, found.sku].append(one.size)
    return EstimatePlan(
        here=[estimate(permitted[name], where) for name, where in candidates.items()],
        elsewhere=sorted(_elsewhere(jobs, setup), key=lambda one: one.cost_usd),
        routed=[estimate(sizes, candidates[name]) for name, sizes in routed.items()],
        excluded=excluded_backends(routes),
        unroutable=sum(1 for found in routes if not found.backend),
        limits=_limits(sized, routes, setup, storage),
    )


def _elsewhere(jobs: Sequence[JobSize], setup: EstimateSetup) -> Iterator[Estimate]:
    for price in setup.prices.prices:
        is_valid = price.valid_from <= setup.now < price.valid_to
        if is_valid and (price.backend, price.sku) not in setup.backends:
            yield estimate(jobs, planned_candidate(price, setup.workers(price.backend)))


def _route(
    one: SizedRecording, candidates: Mapping[Name, Candidate], setup: EstimateSetup
) -> Route:
    offers = [_offer(one, setup, name, where) for name, where in candidates.items()]
    settings = setup.settings
    preferred = settings.speakers_backend if not one.size.transcribed else ""
    return route(
        one.size,
        offers,
        primary=preferred or settings.primary_backend,
        preferred_by="SPEAKERS_BACKEND" if preferred else "PRIMARY_BACKEND",
        priority=setup.priority,
        permission=_permission(one.tenant, setup),
        left=(),
    )


def _offer(one: SizedRecording, setup: EstimateSetup, name: Name, where: Candidate) -> BackendOffer:
    can = setup.backends[name].capabilities
    quote = where.quote(one.size, where.price, where.speed(one.size))
    most_run_seconds = setup.settings.job_timeout_seconds
    return BackendOffer(with_ceiling(quote, where.price, can, most_run_seconds), can, _HEALTHY)


def _permission(tenant: str, setup: EstimateSetup) -> Permission:
    return tenant_permission(setup.settings.tenants_file, tenant)


def _limits(
    sized: Sequence[SizedRecording], routes: Sequence[Route], setup: EstimateSetup, storage: Storage
) -> list[Limit]:
    """Return each limit that applies to one of the tenants; unbilled backends need no budget.

    The needs of all tenants count against common limits; only its own against a tenant's limit,
    and only those on one backend against that backend's.
    """
    needs = _needs(sized, routes, setup)
    found: dict[str, Limit] = {}
    tenants = list(dict.fromkeys(tenant for tenant, _ in needs))
    for tenant, left in asyncio.run(_budgets_left(tenants, setup, storage)):
        applying = [
            need
            for (whose, backend), need in needs.items()
            if whose == tenant and left.applies_to(backend)
        ]
        if not applying:
            continue
        usd, most = total(usd for usd, _ in applying), max(most for _, most in applying)
        before = found.get(left.limit)
        if before is not None:
            usd, most = usd + before.needs_usd, max(most, before.most_usd)
        found[left.limit] = Limit(left.limit, left.limit_usd, left.left_usd, usd, most)
    return list(found.values())


def _needs(
    sized: Sequence[SizedRecording], routes: Sequence[Route], setup: EstimateSetup
) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """Return by tenant and billed backend the cost, and the highest cost of one recording."""
    needs: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    jobs: Counter[tuple[str, Name]] = Counter()
    for one, found in zip(sized, routes, strict=True):
        name = (found.backend, found.sku)
        if found.backend and setup.backends[name].capabilities.paid:
            whose = (one.tenant, found.backend)
            usd, most = needs.get(whose, (Decimal(0), Decimal(0)))
            best = found.considered[0]
            needs[whose] = (usd + best.cost_usd, max(most, best.ceiling_usd))
            jobs[one.tenant, name] += 1
    for (tenant, name), many in jobs.items():
        usd, most = needs[tenant, name[0]]
        needs[tenant, name[0]] = (usd + _idle_usd(setup.candidate(name), many), most)
    return needs


def _idle_usd(where: Candidate, jobs: int) -> Decimal:
    """Return the cost of one idle period for each worker that these jobs use."""
    if where.price.unit == "audio_minute":
        return Decimal(0)
    seconds = Decimal(repr(where.idle_seconds)) * min(where.workers, jobs)
    return where.price.leased_usd(seconds).quantize(NANODOLLAR)


async def _budgets_left(
    tenants: list[str], setup: EstimateSetup, storage: Storage
) -> list[tuple[str, BudgetLeft]]:
    budget = open_budget(setup.settings, storage)
    return [
        (tenant, left)
        for tenant in tenants
        for left in await budget.left(tenant, _permission(tenant, setup))
    ]
