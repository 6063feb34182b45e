"""Where recordings may go and what that comes to, backend by backend: the sums of an estimate."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from assets.tenants import tenant_permission
from pipelines.billing.ceilings import with_ceiling
from pipelines.billing.estimates import Candidate, Estimate, estimate, planned_candidate
from pipelines.billing.policy import Left, Permission, Priority
from pipelines.billing.prices import NANODOLLAR, PriceBook
from pipelines.billing.quotes import Health, JobSize, Speed
from pipelines.billing.routing import Offer, Route, route
from pipelines.billing.speeds import Key, Measured, speed_of
from pipelines.price_book import open_price_book
from pipelines.settings import Settings
from resources.gpu.base import Backend
from resources.gpu.opening import open_budget
from resources.gpu.registry import open_backends
from resources.storage.base import Storage

from .sizing import Sized

_WELL = Health("well")  # nobody is asked: an estimate is of a day on which all is well

Name = tuple[str, str]  # backend and sku


@dataclass(frozen=True)
class Setup:
    """What is set up here, with prices and measured speeds as of `now`."""

    settings: Settings
    prices: PriceBook
    backends: Mapping[Name, Backend]
    measured: Mapping[Key, Measured]
    priority: Priority
    now: datetime

    def candidate(self, name: Name) -> Candidate:
        """One of the backends, as an estimate needs it."""
        backend = self.backends[name]
        price = self.prices.at(*name, self.now)

        def speed(job: JobSize) -> Speed:
            return speed_of(job, *name, backend.speed(job), self.measured)

        idle_seconds = backend.capabilities.idle_seconds
        return Candidate(price, speed, backend.quote, self.workers(name[0]), idle_seconds)

    def workers(self, backend: str) -> int:
        """How many jobs run there at once; RUNPOD_WORKERS_MAX stands for every cloud."""
        local = backend == "local"
        return self.settings.local_workers if local else self.settings.runpod_workers_max


@dataclass(frozen=True)
class Limit:
    """A limit of money beside what the recordings need of it.

    left_usd: by the gate's own count. needs_usd: what they are expected to cost, with a start for
    each and the idle time of their workers. most_usd: what one of them may cost at most, for which
    there must be room before it begins.
    """

    name: str
    limit_usd: Decimal
    left_usd: Decimal
    needs_usd: Decimal
    most_usd: Decimal = Decimal(0)

    @property
    def is_passed(self) -> bool:
        """Whether some of them would have to wait."""
        return max(self.needs_usd, self.most_usd) > self.left_usd


@dataclass
class Plan:
    """What an estimate comes to.

    here, elsewhere: every backend that is set up, and every other line of the price book. routed:
    where the recordings would go now. excluded: by backend, how many may not go there and why.
    nobody: how many may go nowhere.
    """

    here: list[Estimate] = field(default_factory=list)
    elsewhere: list[Estimate] = field(default_factory=list)
    routed: list[Estimate] = field(default_factory=list)
    excluded: dict[str, str] = field(default_factory=dict)
    nobody: int = 0
    limits: list[Limit] = field(default_factory=list)


def open_setup(settings: Settings, measured: Mapping[Key, Measured], priority: Priority) -> Setup:
    """The backends of the settings; asks nobody.

    Raises:
        SettingsError: PRIMARY_BACKEND is not set up.
        PriceBookError: the price book cannot be read.
    """
    backends = {(one.name, one.sku): one for one in open_backends(settings)}
    prices = open_price_book(settings)
    return Setup(settings, prices, backends, measured, priority, datetime.now(UTC))


def plan(sized: Sequence[Sized], setup: Setup, storage: Storage) -> Plan:
    """Price the recordings everywhere, and find where each would go.

    Raises:
        PriceBookError: a backend that is set up has no price.
        SettingsError: tenants.yaml is wrong.
    """
    candidates = {name: setup.candidate(name) for name in setup.backends}
    routes = [_route(one, candidates, setup) for one in sized]
    may: dict[Name, list[JobSize]] = {name: [] for name in candidates}
    goes: defaultdict[Name, list[JobSize]] = defaultdict(list)
    for one, found in zip(sized, routes, strict=True):
        for considered in found.considered:
            if not considered.excluded:
                may[considered.backend, considered.sku].append(one.size)
        if found.backend:
            goes[found.backend, found.sku].append(one.size)
    jobs = [one.size for one in sized]
    return Plan(
        here=[estimate(may[name], where) for name, where in candidates.items()],
        elsewhere=sorted(_elsewhere(jobs, setup), key=lambda one: one.cost_usd),
        routed=[estimate(of, candidates[name]) for name, of in goes.items()],
        excluded=_excluded(routes),
        nobody=sum(1 for found in routes if not found.backend),
        limits=_limits(sized, routes, setup, storage),
    )


def _elsewhere(jobs: Sequence[JobSize], setup: Setup) -> Iterator[Estimate]:
    for price in setup.prices.prices:
        is_valid = price.valid_from <= setup.now < price.valid_to
        if is_valid and (price.backend, price.sku) not in setup.backends:
            yield estimate(jobs, planned_candidate(price, setup.workers(price.backend)))


def _route(one: Sized, candidates: Mapping[Name, Candidate], setup: Setup) -> Route:
    offers = [_offer(one, setup, name, where) for name, where in candidates.items()]
    return route(
        one.size,
        offers,
        primary=setup.settings.primary_backend,
        priority=setup.priority,
        permission=_permission(one.tenant, setup),
        left=(),
    )


def _offer(one: Sized, setup: Setup, name: Name, where: Candidate) -> Offer:
    can = setup.backends[name].capabilities
    quote = where.quote(one.size, where.price, where.speed(one.size))
    most_run_seconds = setup.settings.job_timeout_seconds
    return Offer(with_ceiling(quote, where.price, can, most_run_seconds), can, _WELL)


def _permission(tenant: str, setup: Setup) -> Permission:
    return tenant_permission(setup.settings.tenants_file, tenant)


def _excluded(routes: Iterable[Route]) -> dict[str, str]:
    """How many may not go to a backend, with the first one's reason."""
    count: Counter[str] = Counter()
    why: dict[str, str] = {}
    for found in routes:
        for one in found.considered:
            if one.excluded:
                name = f"{one.backend}/{one.sku}"
                count[name] += 1
                why.setdefault(name, one.excluded)
    return {name: f"{count[name]:,} may not go there, such as: {why[name]}" for name in why}


def _limits(
    sized: Sequence[Sized], routes: Sequence[Route], setup: Setup, storage: Storage
) -> list[Limit]:
    """Each limit that binds one of the tenants; services and machines that nobody bills are free.

    Limits of everybody are added up over the tenants, those of a tenant hold its own alone.
    """
    needs = _needs(sized, routes, setup)
    found: dict[str, Limit] = {}
    for tenant, left in asyncio.run(_lefts(list(needs), setup, storage)):
        usd, most = needs[tenant]
        before = found.get(left.limit)
        if before is not None:
            usd, most = usd + before.needs_usd, max(most, before.most_usd)
        found[left.limit] = Limit(left.limit, left.limit_usd, left.left_usd, usd, most)
    return list(found.values())


def _needs(
    sized: Sequence[Sized], routes: Sequence[Route], setup: Setup
) -> dict[str, tuple[Decimal, Decimal]]:
    """By tenant: what all that somebody bills would cost, and what one of them may at most."""
    needs: dict[str, tuple[Decimal, Decimal]] = {}
    jobs: Counter[tuple[str, Name]] = Counter()
    for one, found in zip(sized, routes, strict=True):
        name = (found.backend, found.sku)
        if found.backend and setup.backends[name].capabilities.paid:
            usd, most = needs.get(one.tenant, (Decimal(0), Decimal(0)))
            best = found.considered[0]
            needs[one.tenant] = (usd + best.cost_usd, max(most, best.ceiling_usd))
            jobs[one.tenant, name] += 1
    for (tenant, name), many in jobs.items():
        usd, most = needs[tenant]
        needs[tenant] = (usd + _idle_usd(setup.candidate(name), many), most)
    return needs


def _idle_usd(where: Candidate, jobs: int) -> Decimal:
    """Of the workers that so many jobs have, each once."""
    if where.price.unit == "audio_minute":
        return Decimal(0)
    seconds = Decimal(repr(where.idle_seconds)) * min(where.workers, jobs)
    return where.price.cost_usd(seconds).quantize(NANODOLLAR)


async def _lefts(tenants: list[str], setup: Setup, storage: Storage) -> list[tuple[str, Left]]:
    budget = open_budget(setup.settings, storage)
    return [
        (tenant, left)
        for tenant in tenants
        for left in await budget.left(tenant, _permission(tenant, setup))
    ]
