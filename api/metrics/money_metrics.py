"""The metrics of budgets and bills."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from escriba.billing.permissions import SpendLimits
from escriba.billing.spent_totals import Spent
from resources.costs_database.database_file import CostsNotBuiltError
from resources.costs_database.read_only import read_only

_ALL = "all"
_BILL_DAYS = 30
_UNEXPLAINED = """
    SELECT backend, sum(unexplained_usd)::DOUBLE / sum(machines_usd)::DOUBLE
    FROM marts.reconciliation WHERE day > ? GROUP BY backend HAVING sum(machines_usd) > 0
"""


def budget_metrics(
    limits: Mapping[str, SpendLimits], spent: Spent, most_tenants: int
) -> Iterator[Metric]:
    """What is spent and reserved of each limit, and the limits that are set."""
    labels = ["scope", "period"]
    counted = GaugeMetricFamily(
        "escriba_budget_spent_usd", "What counts against a limit now, in USD.", labels=labels
    )
    reserved = GaugeMetricFamily(
        "escriba_budget_reserved_usd",
        "Reserved for running attempts, or held until a bill arrives, in USD.",
        labels=labels,
    )
    limit = GaugeMetricFamily("escriba_budget_limit_usd", "The limit, in USD.", labels=labels)
    for scope in _scopes(limits, spent, most_tenants):
        day, month, of_day, of_month = spent.of(scope)
        own = limits[scope]
        for period, usd, held, most in (
            ("day", day, of_day, own.day_usd),
            ("month", month, of_month, own.month_usd),
        ):
            counted.add_metric([scope, period], float(usd))
            reserved.add_metric([scope, period], float(held))
            if most is not None:
                limit.add_metric([scope, period], float(most))
    yield from (counted, reserved, limit)


def _scopes(limits: Mapping[str, SpendLimits], spent: Spent, most: int) -> list[str]:
    """All, and the tenants that have used most of a limit of their own."""

    def used(tenant: str) -> tuple[Decimal, str]:
        day, month, *_ = spent.of(tenant)
        pairs = ((day, limits[tenant].day_usd), (month, limits[tenant].month_usd))
        shares = [usd / limit for usd, limit in pairs if limit]
        return max(shares, default=Decimal(0)), tenant

    tenants = sorted((one for one in limits if one != _ALL), key=used, reverse=True)
    return [_ALL, *tenants[:most]] if _ALL in limits else tenants[:most]


class BillMetrics:
    """The unexplained part of the bills; reads the cost tables again after each build."""

    def __init__(self, database: Path, bucket: str) -> None:
        self._database, self._bucket = database, bucket
        self._built_at, self._shares = 0, dict[str, float]()

    def read(self, today: date) -> Iterator[Metric]:
        """None of any backend while there are no cost tables.

        Raises:
            CostsBusyError: they are being built.
        """
        self._update(today)
        found = GaugeMetricFamily(
            "escriba_bill_unexplained_ratio",
            "Part of the last 30 days' bill for machines that no job explains.",
            labels=["backend"],
        )
        for backend, share in self._shares.items():
            found.add_metric([backend], share)
        yield found

    def _update(self, today: date) -> None:
        built_at = self._database.stat().st_mtime_ns if self._database.exists() else 0
        if built_at == self._built_at:
            return
        since = today - timedelta(days=_BILL_DAYS)
        try:
            with read_only(self._database, "marts.reconciliation", self._bucket) as costs:
                self._shares = dict(costs.execute(_UNEXPLAINED, [since]).fetchall())
        except CostsNotBuiltError:
            self._shares = {}
        self._built_at = built_at
