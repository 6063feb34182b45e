"""Routing: which backend a job goes to, and why, with every backend's quote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from escriba.text_for.markdown import markdown, markdown_row

from .backend_exclusions import Block, exclusion
from .permissions import BudgetLeft, Permission, Priority
from .quotes import Capabilities, Health, JobSize, Quote

__all__ = ["BackendOffer", "Block", "Considered", "Route", "route"]

Order = tuple[Decimal | float, Decimal | float, Decimal | float]
_BEST: dict[Priority, tuple[str, Callable[["BackendOffer"], Order]]] = {
    "cost": (
        "cheapest",
        lambda one: (one.quote.cost_usd, one.quote.latency_seconds, -one.capabilities.quality),
    ),
    "latency": (
        "fastest",
        lambda one: (one.quote.latency_seconds, one.quote.cost_usd, -one.capabilities.quality),
    ),
    "quality": (
        "best",
        lambda one: (-one.capabilities.quality, one.quote.cost_usd, one.quote.latency_seconds),
    ),
}


@dataclass(frozen=True, slots=True)
class BackendOffer:
    """A backend's current state, with its quote for one job."""

    quote: Quote
    capabilities: Capabilities
    health: Health

    @property
    def name(self) -> str:
        """Backend and sku, such as runpod/l4."""
        return f"{self.quote.backend}/{self.quote.sku}"

    @property
    def place(self) -> tuple[str, str]:
        """Backend and sku."""
        return self.quote.backend, self.quote.sku

    @property
    def is_degraded(self) -> bool:
        """Whether it is degraded and does not wait for a probe."""
        return self.health.state == "degraded" and not self.health.probe


class Considered(BaseModel):
    """One backend in a routing decision; `excluded` says why it cannot take the job.

    cost_usd: the expected cost. most_usd: the maximum cost, which must fit into the limits; None
    if it equals cost_usd.
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
        """The amount that must fit into every spending limit."""
        return self.cost_usd if self.most_usd is None else self.most_usd


class Route(BaseModel):
    """A routing decision; `backend` is empty if no backend can take the job now.

    considered: eligible backends, the best first, then the excluded ones by name.
    """

    model_config = ConfigDict(frozen=True)

    backend: str = ""
    sku: str = ""
    reason: str
    considered: tuple[Considered, ...]

    def blocked(self, by: Block) -> list[Considered]:
        """The backends that are excluded for this cause."""
        return [one for one in self.considered if one.blocked_by == by]


def route_reasons(verdict: Route) -> str:
    """The decision in Markdown: the reason, and a table with a row for each backend."""
    rows = [
        markdown_row(
            f"{one.backend}/{one.sku}",
            f"{one.cost_usd:.4f}",
            f"{one.ceiling_usd:.4f}",
            f"{one.latency_seconds:,.0f}",
            one.basis,
            one.excluded or "yes",
        )
        for one in verdict.considered
    ]
    head = (
        "| backend | USD | at most | seconds | basis | eligible |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([markdown(verdict.reason), "", head, *rows])


def route(  # noqa: PLR0913  # everything a decision depends on, by name
    job: JobSize,
    offers: Sequence[BackendOffer],
    *,
    primary: str,
    priority: Priority,
    permission: Permission,
    left: Sequence[BudgetLeft],
    preferred_by: str = "PRIMARY_BACKEND",
) -> Route:
    """The primary backend if it is eligible, otherwise the best of the others by `priority`.

    `primary` 'auto': no preference. preferred_by: the setting that names it. `left`: what is left
    of the limits, which apply only to paid backends. Excluded backends (`exclusion`) get no job.
    The others are ranked by:
    1. health: healthy before degraded; one that waits for a probe counts as healthy
    2. `primary`, with all its skus
    3. others before a last resort (`Capabilities.last_resort`)
    4. `priority`: cost ranks by USD, latency, quality; latency by seconds, USD, quality; quality
       by quality (highest first), USD, latency
    5. name, so that the order of the offers does not matter
    """
    by_priority = _BEST[priority][1]
    may: list[BackendOffer] = []
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
            one.is_degraded,
            one.quote.backend != primary,
            one.capabilities.last_resort,
            by_priority(one),
        )
    )
    considered = (*(_considered(offer) for offer in may), *excluded)
    if not may:
        return Route(reason=_why_none(excluded), considered=considered)
    best = may[0].quote
    reason = _why(may, excluded, primary, priority, preferred_by)
    return Route(backend=best.backend, sku=best.sku, reason=reason, considered=considered)


def _considered(offer: BackendOffer, block: Block = "", why: str = "") -> Considered:
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


def _why(
    may: Sequence[BackendOffer],
    excluded: Sequence[Considered],
    primary: str,
    by: Priority,
    preferred_by: str,
) -> str:
    """One sentence on why the first eligible backend gets the job."""
    best = may[0]
    degraded = (
        f"degraded ({best.health.reason}), but no healthy backend is eligible"
        if best.is_degraded
        else ""
    )
    if best.quote.backend == primary:
        state = f"due for a probe ({best.health.reason})" if best.health.probe else "healthy"
        return f"{best.name} is {preferred_by} and {degraded or state}"
    same = [one for one in may if one.is_degraded == best.is_degraded]
    cost, seconds = f"{best.quote.cost_usd:f} USD", f"{best.quote.latency_seconds:,.0f} s"
    text = f"{_BEST[by][0]} of {len(same)} eligible: {best.name} at {cost} in {seconds}"
    if best.capabilities.last_resort:
        text = f"last resort: {best.name} at {cost} in {seconds}"
    remarks = [f"it is {degraded}"] if degraded else []
    if primary != "auto":
        remarks.append(f"{preferred_by}: {_why_not_primary(may, excluded, primary)}")
    return f"{text}; {'; '.join(remarks)}" if remarks else text


def _why_not_primary(
    may: Sequence[BackendOffer], excluded: Sequence[Considered], primary: str
) -> str:
    degraded = [f"{one.name}: {one.health.reason}" for one in may if one.quote.backend == primary]
    out = [f"{one.backend}/{one.sku}: {one.excluded}" for one in excluded if one.backend == primary]
    return ", ".join([*degraded, *out]) or f"{primary} makes no offer"


def _why_none(excluded: Sequence[Considered]) -> str:
    each = (f"{one.backend}/{one.sku}: {one.excluded}" for one in excluded)
    return f"no backend can take it: {'; '.join(each) or 'none is set up'}"
