"""All sources of the metrics, opened once: a scrape reads only what is new since the last one."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import dagster as dg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from escriba.settings import Settings
from intake.cost_limits import cost_limits
from resources.gpu.engine_reports import fresh_reports
from resources.gpu.open_engine import LimitCount
from resources.gpu.registry import open_backends
from resources.ledger.totals_file import LedgerTotals
from resources.storage.base import Storage, StorageError
from resources.storage.clock import utc_now

from .expiry_metrics import ExpiryMetrics, backup_metrics
from .ledger_metrics import ledger_metrics
from .money_metrics import BillMetrics, budget_metrics
from .reading import Sources
from .work_metrics import dagster_metrics, engine_metrics, queued_recordings

TOTALS_FILE = "metrics.json"  # in DAGSTER_HOME


class Exporter:
    """A collector for prometheus_client; scrapes wait for each other."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        instance: dg.DagsterInstance,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings, self._storage, self._instance = settings, storage, instance
        self._now, self._lock = now, Lock()
        path = settings.dagster_home / TOTALS_FILE
        self._ledger = LedgerTotals(storage, path, settings.metrics_tenants)
        self._spent = LimitCount()
        self._bills = BillMetrics(settings.costs_database, storage.url)
        self._expiries = ExpiryMetrics(settings)
        self._backends = {backend.name for backend in open_backends(settings)}
        self._sources = Sources(self._all_sources(), self._places())

    def collect(self) -> Iterator[Metric]:
        """All metrics of this moment."""
        with self._lock:
            yield about()
            yield from self._sources.collect()

    def read_ledger(self) -> None:
        """Read the ledger before the first scrape, which would take too long in a large one.

        If that fails, the first scrape tries again, and says so.
        """
        with suppress(StorageError):
            self._ledger.read(self._now())

    def _all_sources(self) -> "dict[str, Callable[[], Iterator[Metric]]]":
        return {
            "ledger": lambda: ledger_metrics(self._ledger.read(self._now()), self._backends),
            "dagster": lambda: dagster_metrics(self._instance),
            "engine": self._work,
            "budget": self._budget,
            "bills": lambda: self._bills.read(self._now().date()),
            "backups": lambda: backup_metrics(self._storage),
            "expiries": self._expiries.read,
        }

    def _work(self) -> Iterator[Metric]:
        reports = list(fresh_reports(self._storage, self._now()))
        yield from engine_metrics(reports, queued_recordings(self._instance), self._backends)

    def _budget(self) -> Iterator[Metric]:
        """Nothing of a bucket with synthetic costs."""
        spent = self._spent.at(self._settings, self._storage, self._now())
        if spent is not None:
            yield from budget_metrics(
                cost_limits(self._settings), spent, self._settings.metrics_tenants
            )

    def _places(self) -> dict[str, Path]:
        places = {"home": self._settings.dagster_home, "temporary": Path(tempfile.gettempdir())}
        if self._storage.url.startswith("file://"):
            places["bucket"] = self._storage.scratch()
        return places


def registry_of(exporter: Exporter) -> CollectorRegistry:
    """A registry of nothing else; it collects nothing until it is scraped."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(exporter)
    return registry


def about() -> Metric:
    """The version that serves the metrics."""
    found = GaugeMetricFamily("escriba_info", "Always 1.", labels=["version"])
    found.add_metric([version("escriba")], 1)
    return found
