"""A tenant's monthly statement: own work, failed work, shared costs, and the charge."""

from dataclasses import dataclass
from decimal import Decimal

from escriba.reports.figures import ZERO
from escriba.reports.finance_figures import AssumedRate
from escriba.reports.periods import Compared
from escriba.reports.wording import CATEGORIES

from .cents import in_cents, rounded
from .figures import MonthCosts, Tagged, TenantMonth, Terms, TranscribedAudio, Worked
from .sums import FAILED, OWN, cents_of, is_shared
from .terms import charge_usd


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One kind of cost, in cents; before_usd: in the previous month."""

    name: str
    usd: Decimal
    before_usd: Decimal


@dataclass(frozen=True, slots=True)
class StatementPart:
    """A group of lines, and their sum."""

    title: str
    lines: tuple[StatementLine, ...]

    @property
    def usd(self) -> Decimal:
        """The sum of the month."""
        return sum((line.usd for line in self.lines), ZERO)

    @property
    def before_usd(self) -> Decimal:
        """The sum of the previous month."""
        return sum((line.before_usd for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class Statement:
    """One tenant's statement. Money is in cents, except for single recordings.

    It names no other tenant. tags: by cost center and project, if there are any; they add up to
    the total.
    """

    tenant: str
    periods: Compared
    parts: tuple[StatementPart, ...]
    now: TranscribedAudio
    before: TranscribedAudio
    worked: tuple[Worked, ...]
    tags: tuple[Tagged, ...]
    terms: Terms
    charged_usd: Decimal | None
    days: int
    billed_days: int
    is_synthetic: bool
    assumed_rates: tuple[AssumedRate, ...] = ()

    @property
    def usd(self) -> Decimal:
        """The tenant's total cost."""
        return sum((part.usd for part in self.parts), ZERO)

    @property
    def before_usd(self) -> Decimal:
        """The tenant's total cost in the previous month."""
        return sum((part.before_usd for part in self.parts), ZERO)

    @property
    def left_usd(self) -> Decimal | None:
        """What is left of the monthly budget; negative if exceeded, None without a budget."""
        limit = self.terms.month_usd
        return None if limit is None else rounded(limit) - self.usd

    @property
    def usd_per_audio_hour(self) -> Decimal | None:
        """Cost per hour of audio; None without audio."""
        hours = self.now.audio_seconds / 3600
        return self.usd / hours if hours else None

    @property
    def month(self) -> str:
        """The month, such as 2026-03."""
        return f"{self.periods.now.first:%Y-%m}"


def make_statement(month: MonthCosts, own: TenantMonth, terms: Terms) -> Statement:
    """One tenant's statement, rounded so that all statements add up to the total."""
    now = cents_of(month.now).get(own.tenant, {})
    before = cents_of(month.before).get(own.tenant, {})
    parts = tuple(_parts(now, before, _assumed(month, own.tenant)))
    usd = sum((part.usd for part in parts), ZERO)
    charge = terms.charge
    return Statement(
        tenant=own.tenant,
        periods=month.periods,
        parts=parts,
        now=own.now,
        before=own.before,
        worked=own.worked,
        tags=_tags(own.tagged, usd),
        terms=terms,
        charged_usd=None if charge is None else charge_usd(charge, usd, own.now.audio_seconds),
        days=own.days,
        billed_days=own.billed_days,
        is_synthetic=month.is_synthetic,
        assumed_rates=own.assumed_rates,
    )


def _assumed(month: MonthCosts, tenant: str) -> set[str]:
    """Categories with an amount converted at an assumed rate, in either month."""
    rows = (*month.now, *month.before)
    return {one.category for one in rows if one.tenant == tenant and one.is_by_assumed_rate}


def _parts(
    now: dict[str, Decimal], before: dict[str, Decimal], assumed: set[str]
) -> list[StatementPart]:
    shared = [name for name in CATEGORIES if is_shared(name) and name in now | before]
    others = sorted(name for name in now | before if name not in CATEGORIES)

    def part(title: str, names: list[str]) -> StatementPart:
        lines = [
            StatementLine(_named(one, assumed), now.get(one, ZERO), before.get(one, ZERO))
            for one in names
        ]
        return StatementPart(title, tuple(lines))

    parts = [part("Work", list(OWN)), part("Failed work", [FAILED])]
    return [*parts, *([part("Shared costs", shared + others)] if shared or others else [])]


def _named(category: str, assumed: set[str]) -> str:
    name = CATEGORIES.get(category, category)
    return f"{name} (at an assumed exchange rate)" if category in assumed else name


def _tags(tagged: tuple[Tagged, ...], usd: Decimal) -> tuple[Tagged, ...]:
    """The tags in cents; empty if nothing has a tag."""
    if not any(one.cost_center or one.project for one in tagged):
        return ()
    cents = in_cents({(one.cost_center, one.project): one.usd for one in tagged}, usd)
    return tuple(Tagged(center, project, cost) for (center, project), cost in cents.items())
