"""Tables of what finance asks for: unit costs by tenant, cost centers, committed use."""

from decimal import Decimal

from pipelines.billing.report import wording
from pipelines.billing.report.figures import Figures
from pipelines.billing.report.wording import hours, usd

from .tables import Table


def unit_costs(figures: Figures) -> Table:
    """USD for an hour of audio by tenant, month by month; who cost most comes first."""
    months = sorted({one.month for one in figures.unit_costs})
    price = {(one.tenant, one.month): one.usd_per_audio_hour for one in figures.unit_costs}
    rows = [
        (tenant, *(usd(price.get((tenant, month))) for month in months))
        for tenant in figures.dearest_tenants()
    ]
    caption = "US$ an hour of audio by tenant and month, with failed work and what it carries"
    return Table(caption, ("Tenant", *(f"{month:%Y-%m}" for month in months)), tuple(rows))


def by_tag(figures: Figures) -> Table:
    """What each cost center and project came to in the period."""
    rows = [
        (one.cost_center or "(none)", one.project or "(none)", hours(one.audio_hours), usd(one.usd))
        for one in figures.tags
    ]
    headings = ("Cost center", "Project", "Audio", "Spent")
    return Table("By cost center and project", headings, tuple(rows))


def commitments(figures: Figures) -> Table:
    """What is paid in advance, spread over the days of the period, and what was had for it."""
    rows = [
        (
            one.name,
            wording.place(f"{one.backend}/{one.sku}"),
            usd(one.amortized_usd),
            f"{one.used_hours:,.1f} h",
            usd(one.amortized_usd / Decimal(repr(one.used_hours)) if one.used_hours else None),
            usd(one.at_price_book_usd),
        )
        for one in figures.commitments
    ]
    headings = ("Name", "Where", "Part of it", "Used", "An hour used", "At the price book")
    return Table("Paid in advance, spread over its days", headings, tuple(rows))
