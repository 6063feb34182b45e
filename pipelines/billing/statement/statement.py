"""A tenant's statement of a month: own work, failed work, shared costs, and what is charged."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.billing.report.figures import ZERO
from pipelines.billing.report.periods import Compared
from pipelines.billing.report.wording import CATEGORIES

from .cents import in_cents, rounded
from .figures import Done, HouseMonth, Tagged, TenantMonth, Terms, Worked
from .sums import FAILED, OWN, cents_of, is_shared
from .terms import charge_usd


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of cost, in cents; before: in the month before."""

    name: str
    usd: Decimal
    before_usd: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that belong together, and their sum."""

    title: str
    lines: tuple[Line, ...]

    @property
    def usd(self) -> Decimal:
        """Of the month."""
        return sum((line.usd for line in self.lines), ZERO)

    @property
    def before_usd(self) -> Decimal:
        """Of the month before."""
        return sum((line.before_usd for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class Statement:
    """All money in cents, but for that of single recordings. Names nobody but the tenant.

    tags: by cost center and project, where there are any; they add up to the total.
    """

    tenant: str
    periods: Compared
    parts: tuple[Part, ...]
    now: Done
    before: Done
    worked: tuple[Worked, ...]
    tags: tuple[Tagged, ...]
    terms: Terms
    charged_usd: Decimal | None
    days: int
    billed_days: int
    is_synthetic: bool

    @property
    def usd(self) -> Decimal:
        """What the tenant cost."""
        return sum((part.usd for part in self.parts), ZERO)

    @property
    def before_usd(self) -> Decimal:
        """The same in the month before."""
        return sum((part.before_usd for part in self.parts), ZERO)

    @property
    def left_usd(self) -> Decimal | None:
        """Of the month's budget; below zero where it is passed, None without one."""
        limit = self.terms.month_usd
        return None if limit is None else rounded(limit) - self.usd

    @property
    def usd_per_audio_hour(self) -> Decimal | None:
        """Cost over audio; None without audio."""
        hours = self.now.audio_seconds / 3600
        return self.usd / hours if hours else None

    @property
    def month(self) -> str:
        """2026-03."""
        return f"{self.periods.now.first:%Y-%m}"


def make_statement(house: HouseMonth, own: TenantMonth, terms: Terms) -> Statement:
    """Of one tenant; its cents are those that make the house add up."""
    now = cents_of(house.now).get(own.tenant, {})
    before = cents_of(house.before).get(own.tenant, {})
    parts = tuple(_parts(now, before))
    usd = sum((part.usd for part in parts), ZERO)
    charge = terms.charge
    return Statement(
        tenant=own.tenant,
        periods=house.periods,
        parts=parts,
        now=own.now,
        before=own.before,
        worked=own.worked,
        tags=_tags(own.tagged, usd),
        terms=terms,
        charged_usd=None if charge is None else charge_usd(charge, usd, own.now.audio_seconds),
        days=own.days,
        billed_days=own.billed_days,
        is_synthetic=house.is_synthetic,
    )


def _parts(now: dict[str, Decimal], before: dict[str, Decimal]) -> list[Part]:
    shared = [name for name in CATEGORIES if is_shared(name) and name in now | before]
    others = sorted(name for name in now | before if name not in CATEGORIES)

    def part(title: str, names: list[str]) -> Part:
        lines = [
            Line(CATEGORIES.get(one, one), now.get(one, ZERO), before.get(one, ZERO))
            for one in names
        ]
        return Part(title, tuple(lines))

    parts = [part("Work", list(OWN)), part("Failed work", [FAILED])]
    return [*parts, *([part("Shared costs", shared + others)] if shared or others else [])]


def _tags(tagged: tuple[Tagged, ...], usd: Decimal) -> tuple[Tagged, ...]:
    """In cents; none where nothing has a tag."""
    if not any(one.cost_center or one.project for one in tagged):
        return ()
    cents = in_cents({(one.cost_center, one.project): one.usd for one in tagged}, usd)
    return tuple(Tagged(center, project, cost) for (center, project), cost in cents.items())
