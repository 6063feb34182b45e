"""The cost of attempts that ended within a time span, by the cost tables."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from .read_only import read_only

_COST = """
    SELECT coalesce(sum(run_usd + boot_usd + idle_usd), 0)::DECIMAL(38, 9),
           coalesce(sum(run_usd) FILTER (waste <> ''), 0)::DECIMAL(38, 9)
    FROM intermediate.int_attempt_charges
    WHERE attempt_id IN (
        SELECT attempt_id FROM ledger.attempts WHERE ended_at > $since AND ended_at <= $until
    )
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """USD of runs with their share of boot and idle time; of that, wasted runs."""

    spent_usd: Decimal
    wasted_usd: Decimal


def cost_of_ended(path: Path, since: datetime, until: datetime, bucket: str = "") -> Ended:
    """The full cost of attempts that ended after `since` and not after `until`, on all days.

    Raises:
        CostsNotBuiltError: there are no tables yet, or they belong to another bucket.
        CostsBusyError: the tables are being built.
    """
    with read_only(path, "intermediate.int_attempt_charges", bucket) as costs:
        [row] = costs.execute(_COST, {"since": since, "until": until}).fetchall()
        return Ended(*row)
