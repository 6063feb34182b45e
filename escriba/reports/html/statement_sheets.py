"""A statement, and the month's total of all tenants, as spreadsheet tables."""

from decimal import Decimal

from escriba.reports.figures import ZERO
from escriba.reports.sheets import Sheet
from escriba.reports.statement.cents import rounded
from escriba.reports.statement.statement import Statement
from escriba.reports.statement.sums import MonthSums
from escriba.reports.statement.terms import charged_hours
from escriba.reports.wording import CATEGORIES, by_assumed_rate


def lines_sheet(statement: Statement) -> Sheet:
    """Each line of cost, the total, the charge, and notes; in cents."""
    month, tenant = statement.month, statement.tenant
    rows: list[tuple[object, ...]] = [
        (month, tenant, part.title, line.name, line.usd, line.before_usd)
        for part in statement.parts
        for line in part.lines
    ]
    rows.append((month, tenant, "Total", "Total cost", statement.usd, statement.before_usd))
    if statement.terms.month_usd is not None:
        limit = rounded(statement.terms.month_usd)
        rows.append((month, tenant, "Budget", "Monthly limit", limit, None))
        rows.append((month, tenant, "Budget", "Budget left", statement.left_usd, None))
    if statement.charged_usd is not None:
        name = how_charged(statement)
        rows.append((month, tenant, "Charged", name, statement.charged_usd, None))
    notes = [by_assumed_rate(one) for one in statement.assumed_rates]
    rows += [(month, tenant, "Note", note, None, None) for note in notes]
    return Sheet("Statement", ("month", "tenant", "part", "line", "usd", "before_usd"), rows)


def how_charged(statement: Statement) -> str:
    """How the charge is computed, in words; empty without a charge."""
    charge = statement.terms.charge
    if charge is None:
        return ""
    if charge.usd_per_audio_hour is not None:
        hours = charged_hours(statement.now.audio_seconds)
        return f"{hours:,} h of audio at US$ {charge.usd_per_audio_hour:f} per hour"
    return f"Cost {((charge.markup or ZERO) * 100).normalize():+f} %"


def recordings_sheet(statement: Statement) -> Sheet:
    """Each recording of the month, exact to the nano-dollar, with its share of boot and idle."""
    is_noted = any(one.is_by_assumed_rate for one in statement.worked)
    rows = [
        (
            *(statement.month, statement.tenant, one.path, one.first_day),
            *(one.cost_center, one.project, one.attempts),
            (one.audio_seconds / 3600).quantize(Decimal("0.0001")),
            *(one.usd, one.failed_usd),
            *([one.is_by_assumed_rate] if is_noted else []),
        )
        for one in statement.worked
    ]
    headings = ("month", "tenant", "recording", "first_day", "cost_center", "project", "attempts")
    noted = ["is_by_assumed_rate"] if is_noted else []
    return Sheet("Recordings", (*headings, "audio_hours", "usd", "failed_usd", *noted), rows)


def tags_sheet(statement: Statement) -> Sheet:
    """Cost by cost center and project, in cents; the rows add up to the total."""
    rows = [
        (statement.month, statement.tenant, one.cost_center, one.project, one.usd)
        for one in statement.tags
    ]
    return Sheet("Cost centers", ("month", "tenant", "cost_center", "project", "usd"), rows)


def sheets_of(statement: Statement) -> list[Sheet]:
    """All sheets of the statement's workbook."""
    tags = [tags_sheet(statement)] if statement.tags else []
    return [lines_sheet(statement), *tags, recordings_sheet(statement)]


def month_sheet(month: str, sums: MonthSums) -> Sheet:
    """Every tenant, the unallocated costs, and their total, to check the statements against."""
    tenants = [(month, "tenant", name, usd) for name, usd in sorted(sums.tenants.items())]
    apart = [
        (month, "unallocated", CATEGORIES.get(name, name), usd) for name, usd in sums.apart.items()
    ]
    total = (month, "total", "Total", sums.total)
    return Sheet("House", ("month", "part", "name", "usd"), [*tenants, *apart, total])
