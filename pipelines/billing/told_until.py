"""How far into time a bill tells: hours that are not there yet are no hours without cost."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from .invoices import InvoiceRow

# of what is used by the hour or the day; a month's fee or tax says nothing of its last hours
_USED = {"compute", "storage", "network"}
_LONGEST = timedelta(days=1)


def told_until(rows: Iterable[InvoiceRow]) -> datetime | None:
    """The end of the last hour or day of use; None where there is none."""
    ends = (
        row.period_end
        for row in rows
        if row.category in _USED and row.period_end - row.period_start <= _LONGEST
    )
    return max(ends, default=None)
