"""Up to when a bill covers usage: later hours are missing, not free of cost."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from escriba.backend_names import AWS_GPU

# billed by the hour or day; a monthly fee or tax does not show how far the bill goes
_USAGE = {"storage", "network"}
_LONGEST = timedelta(days=1)
_NO_NUMBER = re.compile(r"\d{4}-\d{2}")  # AWS lines have no number until the month is closed


class BilledRow(Protocol):
    """The fields of a bill row that are needed."""

    @property
    def backend(self) -> str:
        """The backend; AWS numbers its invoices, RunPod does not."""

    @property
    def invoice_id(self) -> str:
        """The invoice number, or the month while there is none."""

    @property
    def category(self) -> str:
        """The category, such as compute or tax."""

    @property
    def period_start(self) -> datetime:
        """Start of the billed period."""

    @property
    def period_end(self) -> datetime:
        """End of the billed period."""


def billed_until(rows: Iterable[BilledRow]) -> datetime | None:
    """The end of the last billed usage, or of the month once the invoice has its number.

    None without usage. `int_invoice_days` has the same rule in SQL.
    """
    ends = (_end(row) for row in rows if row.category == "compute" or _is_short(row))
    return max(ends, default=None)


def _is_short(row: BilledRow) -> bool:
    return row.category in _USAGE and row.period_end - row.period_start <= _LONGEST


def _end(row: BilledRow) -> datetime:
    if row.backend == AWS_GPU and not _NO_NUMBER.fullmatch(row.invoice_id):
        month = row.period_start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0)
        return max(row.period_end, (month + timedelta(days=32)).replace(day=1))
    return row.period_end
