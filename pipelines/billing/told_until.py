"""How far into time a bill tells: hours that are not there yet are no hours without cost."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

# of what is used by the hour or the day; a month's fee or tax says nothing of its last hours
_BESIDE = {"storage", "network"}
_LONGEST = timedelta(days=1)
_NO_NUMBER = re.compile(r"\d{4}-\d{2}")  # until the month is closed AWS's lines have none


class Line(Protocol):
    """What of a row of a bill is looked at."""

    @property
    def backend(self) -> str:
        """AWS has numbers of invoices, RunPod none."""

    @property
    def invoice_id(self) -> str:
        """Its number, or the month while it has none."""

    @property
    def category(self) -> str:
        """Such as compute or tax."""

    @property
    def period_start(self) -> datetime:
        """When what is billed began."""

    @property
    def period_end(self) -> datetime:
        """And when it ended."""


def told_until(rows: Iterable[Line]) -> datetime | None:
    """The end of the last use, or of the month where the invoice has its number; None: of nothing.

    `int_invoice_days` says the same in SQL.
    """
    ends = (_end(row) for row in rows if row.category == "compute" or _is_short(row))
    return max(ends, default=None)


def _is_short(row: Line) -> bool:
    return row.category in _BESIDE and row.period_end - row.period_start <= _LONGEST


def _end(row: Line) -> datetime:
    if row.backend == "aws_gpu" and not _NO_NUMBER.fullmatch(row.invoice_id):
        month = row.period_start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0)
        return max(row.period_end, (month + timedelta(days=32)).replace(day=1))
    return row.period_end
