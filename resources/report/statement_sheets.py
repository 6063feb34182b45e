"""A statement, and the house's month, as tables with numbers in them."""

from decimal import Decimal

from pipelines.billing.report.figures import ZERO
from pipelines.billing.report.wording import CATEGORIES
from pipelines.billing.statement.cents import rounded
from pipelines.billing.statement.statement import Statement
from pipelines.billing.statement.sums import HouseSums
from pipelines.billing.statement.terms import charged_hours
from resources.sheets import Sheet


def lines_sheet(statement: Statement) -> Sheet:
    """Each line of cost, the total, and what is charged; in cents."""
    month, tenant = statement.month, statement.tenant
    rows: list[tuple[object, ...]] = [
        (month, tenant, part.title, line.name, line.usd, line.before_usd)
        for part in statement.parts
        for line in part.lines
    ]
    rows.append((month, tenant, "Total", "What it cost", statement.usd, statement.before_usd))
    if statement.terms.month_usd is not None:
        limit = rounded(statement.terms.month_usd)
        rows.append((month, tenant, "Budget", "Limit of the month", limit, None))
        rows.append((month, tenant, "Budget", "Left of it", statement.left_usd, None))
    if statement.charged_usd is not None:
        name = how_charged(statement)
        rows.append((month, tenant, "Charged", name, statement.charged_usd, None))
    return Sheet("Statement", ("month", "tenant", "part", "line", "usd", "before_usd"), rows)


def how_charged(statement: Statement) -> str:
    """The sum behind what is charged, in words."""
    charge = statement.terms.charge
    if charge is None:
        return ""
    if charge.usd_per_audio_hour is not None:
        hours = charged_hours(statement.now.audio_seconds)
        return f"{hours:,} h of audio at US$ {charge.usd_per_audio_hour:f} an hour"
    return f"Cost {((charge.markup or ZERO) * 100).normalize():+f} %"


def recordings_sheet(statement: Statement) -> Sheet:
    """Each recording of the month, exact to the nano-dollar; with shares of boot and idle."""
    rows = [
        (
            *(statement.month, statement.tenant, one.path, one.first_day),
            *(one.cost_center, one.project, one.attempts),
            (one.audio_seconds / 3600).quantize(Decimal("0.0001")),
            *(one.usd, one.failed_usd),
        )
        for one in statement.worked
    ]
    headings = ("month", "tenant", "recording", "first_day", "cost_center", "project", "attempts")
    return Sheet("Recordings", (*headings, "audio_hours", "usd", "failed_usd"), rows)


def tags_sheet(statement: Statement) -> Sheet:
    """By cost center and project, in cents; they add up to the total."""
    rows = [
        (statement.month, statement.tenant, one.cost_center, one.project, one.usd)
        for one in statement.tags
    ]
    return Sheet("Cost centers", ("month", "tenant", "cost_center", "project", "usd"), rows)


def sheets_of(statement: Statement) -> list[Sheet]:
    """All that a workbook has."""
    tags = [tags_sheet(statement)] if statement.tags else []
    return [lines_sheet(statement), *tags, recordings_sheet(statement)]


def house_sheet(month: str, sums: HouseSums) -> Sheet:
    """Every tenant, what is kept apart, and the house: for whoever holds them against another."""
    tenants = [(month, "tenant", name, usd) for name, usd in sorted(sums.tenants.items())]
    apart = [
        (month, "kept apart", CATEGORIES.get(name, name), usd) for name, usd in sums.apart.items()
    ]
    total = (month, "total", "The house", sums.total)
    return Sheet("House", ("month", "part", "name", "usd"), [*tenants, *apart, total])
