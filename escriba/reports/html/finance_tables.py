"""Tables for finance: unit costs by tenant, cost centers, committed use."""

from decimal import Decimal

from escriba.reports import wording
from escriba.reports.figures import Figures
from escriba.reports.wording import hours, usd

from .tables import Table


def unit_costs(figures: Figures) -> Table:
    """USD per hour of audio by tenant and month; the most expensive tenant comes first."""
    months = sorted({one.month for one in figures.unit_costs})
    price = {(one.tenant, one.month): one.usd_per_audio_hour for one in figures.unit_costs}
    rows = [
        (tenant, *(usd(price.get((tenant, month))) for month in months))
        for tenant in figures.most_expensive_tenants()
    ]
    caption = "US$ per hour of audio by tenant and month, with failed work and allocated costs"
    return Table(caption, ("Tenant", *(f"{month:%Y-%m}" for month in months)), tuple(rows))


def by_tag(figures: Figures) -> Table:
    """The cost of each cost center and project in the period."""
    rows = [
        (one.cost_center or "(none)", one.project or "(none)", hours(one.audio_hours), usd(one.usd))
        for one in figures.tags
    ]
    headings = ("Cost center", "Project", "Audio", "Spent")
    return Table("By cost center and project", headings, tuple(rows))


def commitments(figures: Figures) -> Table:
    """Committed use: the part of it that falls into the period, and what was used of it."""
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
    headings = ("Name", "Where", "Amortized", "Used", "Per hour used", "At price book prices")
    return Table("Committed use, amortized over its days", headings, tuple(rows))
