"""Which backend a job goes to, and why: a verdict that lists each with its quote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from .exclusions import Block, exclusion
from .policy import Left, Permission, Priority
from .quotes import Capabilities, Health, JobSize, Quote

__all__ = ["Block", "Considered", "Offer", "Route", "route"]

Order = tuple[Decimal | float, Decimal | float, Decimal | float]
_BEST: dict[Priority, tuple[str, Callable[["Offer"], Order]]] = {
    "cost": (
        "cheapest",
        lambda one: (one.quote.cost_usd, one.quote.latency_seconds, -one.capabilities.quality),
    ),
    "latency": (
        "quickest",
        lambda one: (one.quote.latency_seconds, one.quote.cost_usd, -one.capabilities.quality),
    ),
    "quality": (
        "best",
        lambda one: (-one.capabilities.quality, one.quote.cost_usd, one.quote.latency_seconds),
    ),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A backend as it stands at this moment, with its quote for one job."""

    quote: Quote
    capabilities: Capabilities
    health: Health

    @property
    def name(self) -> str:
        """As in a sentence: runpod/l4."""
        return f"{self.quote.backend}/{self.quote.sku}"

    @property
    def is_doubtful(self) -> bool:
        """Degraded, unless one job shall find out whether it is well again."""
        return self.health.state == "degraded" and not self.health.probe


class Considered(BaseModel):
    """What was thought of one backend; `excluded` says why it may not have the job.

    cost_usd: what is expected; most_usd: what it may cost at most, which limits must have room
    for. None where they are the same.
    """

    model_config = ConfigDict(frozen=True)

    backend: str
    sku: str
    cost_usd: Decimal
    latency_seconds: float
    basis: str
    blocked_by: Block = ""
    excluded: str = ""
    lasting: bool = False
    most_usd: Decimal | None = None

    @property
    def ceiling_usd(self) -> Decimal:
        """What a limit on money must have room for."""
        return self.cost_usd if self.most_usd is None else self.most_usd


class Route(BaseModel):
    """The verdict; `backend` is empty where nobody may have the job now.

    considered: those that may have it, the best first, then the excluded by name.
    """

    model_config = ConfigDict(frozen=True)

    backend: str = ""
    sku: str = ""
    reason: str
    considered: tuple[Considered, ...]

    def blocked(self, by: Block) -> list[Considered]:
        """Those that are excluded for this cause."""
        return [one for one in self.considered if one.blocked_by == by]


def told(verdict: Route) -> str:
    """For people, in Markdown: the reason, and a row for each backend."""
    rows = [
        f"| {one.backend}/{one.sku} | {one.cost_usd:.4f} | {one.ceiling_usd:.4f} "
        f"| {one.latency_seconds:,.0f} | {one.basis} | {one.excluded or 'yes'} |"
        for one in verdict.considered
    ]
    head = (
        "| backend | USD | at most | seconds | basis | may it? |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([verdict.reason, "", head, *rows])


def route(  # noqa: PLR0913  # what a verdict hangs on, by name
    job: JobSize,
    offers: Sequence[Offer],
    *,
    primary: str,
    priority: Priority,
    permission: Permission,
    left: Sequence[Left],
) -> Route:
    """The primary backend where it may, else the best of the others by `priority`.

    `primary` 'auto': none. `left`: what the limits still allow; those hold paid backends alone.

    Whoever is excluded (`exclusion`) is out. The order of the rest, the first difference decides:
    1. healthy before degraded; one that a job shall try again counts as healthy
    2. `primary`, with every sku of that name
    3. others before a last resort (`Capabilities.last_resort`)
    4. the priority. cost: USD, then latency, then quality; latency: seconds, then USD, then
       quality; quality: the higher, then USD, then latency
    5. the names, so that the same offers in any order give the same verdict
    """
    by_priority = _BEST[priority][1]
    may: list[Offer] = []
    excluded: list[Considered] = []
    for offer in sorted(offers, key=lambda one: (one.quote.backend, one.quote.sku)):
        block, why = exclusion(
            job, offer.quote, offer.capabilities, offer.health, permission=permission, left=left
        )
        if block:
            excluded.append(_considered(offer, block, why))
        else:
            may.append(offer)
    may.sort(
        key=lambda one: (
            one.is_doubtful,
            one.quote.backend != primary,
            one.capabilities.last_resort,
            by_priority(one),
        )
    )
    considered = (*(_considered(offer) for offer in may), *excluded)
    if not may:
        return Route(reason=_why_nobody(excluded), considered=considered)
    best = may[0].quote
    reason = _why(may, excluded, primary, priority)
    return Route(backend=best.backend, sku=best.sku, reason=reason, considered=considered)


def _considered(offer: Offer, block: Block = "", why: str = "") -> Considered:
    quote = offer.quote
    return Considered(
        backend=quote.backend,
        sku=quote.sku,
        cost_usd=quote.cost_usd,
        latency_seconds=quote.latency_seconds,
        basis=quote.basis,
        blocked_by=block,
        excluded=why,
        lasting=block == "health" and offer.health.lasting,
        most_usd=quote.most_usd,
    )


def _why(may: Sequence[Offer], excluded: Sequence[Considered], primary: str, by: Priority) -> str:
    """One sentence on the first of those that may."""
    best = may[0]
    doubt = f"degraded ({best.health.reason}), and no healthy one may" if best.is_doubtful else ""
    if best.quote.backend == primary:
        state = f"to be tried again ({best.health.reason})" if best.health.probe else "healthy"
        return f"{best.name} is PRIMARY_BACKEND and {doubt or state}"
    same = [one for one in may if one.is_doubtful == best.is_doubtful]
    cost, seconds = f"{best.quote.cost_usd:f} USD", f"{best.quote.latency_seconds:,.0f} s"
    text = f"{_BEST[by][0]} of {len(same)} that may: {best.name} at {cost} in {seconds}"
    if best.capabilities.last_resort:
        text = f"last resort: {best.name} at {cost} in {seconds}"
    remarks = [f"it is {doubt}"] if doubt else []
    if primary != "auto":
        remarks.append(f"PRIMARY_BACKEND: {_why_not_primary(may, excluded, primary)}")
    return f"{text}; {'; '.join(remarks)}" if remarks else text


def _why_not_primary(may: Sequence[Offer], excluded: Sequence[Considered], primary: str) -> str:
    doubtful = [f"{one.name}: {one.health.reason}" for one in may if one.quote.backend == primary]
    out = [f"{one.backend}/{one.sku}: {one.excluded}" for one in excluded if one.backend == primary]
    return ", ".join([*doubtful, *out]) or f"{primary} makes no offer"


def _why_nobody(excluded: Sequence[Considered]) -> str:
    each = (f"{one.backend}/{one.sku}: {one.excluded}" for one in excluded)
    return f"no backend may take it: {'; '.join(each) or 'none is set up'}"
