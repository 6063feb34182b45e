"""Which backend a job goes to, and why: a verdict that lists each with its quote."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .policy import Left, Permission, Priority
from .quotes import Capabilities, Health, JobSize, Quote

Block = Literal["", "capability", "permission", "health", "budget"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A backend as it stands at this moment, with its quote for one job."""

    quote: Quote
    capabilities: Capabilities
    health: Health


class Considered(BaseModel):
    """What was thought of one backend; `excluded` says why it may not have the job."""

    model_config = ConfigDict(frozen=True)

    backend: str
    sku: str
    cost_usd: Decimal
    latency_seconds: float
    basis: str
    blocked_by: Block = ""
    excluded: str = ""
    lasting: bool = False


class Route(BaseModel):
    """The verdict; `backend` is empty where nobody may have the job now."""

    model_config = ConfigDict(frozen=True)

    backend: str = ""
    sku: str = ""
    reason: str
    considered: tuple[Considered, ...]

    def blocked(self, by: Block) -> list[Considered]:
        """Those that are excluded for this cause."""
        return [one for one in self.considered if one.blocked_by == by]


def route(
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
    """
    raise NotImplementedError
