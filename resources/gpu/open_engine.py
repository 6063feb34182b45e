"""The job engine of the settings: all backends that are set up, prices and limits."""

from dataclasses import dataclass
from datetime import datetime

from escriba.backend_names import AWS_GPU, GCP_GPU, RUNPOD
from escriba.billing.permissions import SpendLimits as Money
from escriba.billing.price_book import PriceBook
from escriba.billing.spent_totals import Spent, WorkerLimits
from escriba.settings import Settings
from resources.ledger.recent_speeds import recent_speeds
from resources.ledger.synthetic_mark import is_synthetic
from resources.ledger.writer import LedgerWriter
from resources.price_book import open_price_book
from resources.spending.budget_gate import Budget
from resources.spending.reservations import Spending
from resources.spot_prices import SpotPrices
from resources.storage.base import Storage
from resources.storage.clock import utc_now

from .engine import JobEngine
from .fleet import Fleet
from .job_orders import AttemptLimits
from .proven_store import ProvenStore
from .reconcile import Reconciler
from .registry import open_backends


def open_engine(
    settings: Settings, storage: Storage, ledger: LedgerWriter, prices: PriceBook
) -> JobEngine:
    """The engine; starts nothing and makes no request."""
    limits = AttemptLimits(settings.queue_limit_seconds, settings.job_timeout_seconds)
    fleet = open_fleet(settings, storage, prices)
    return JobEngine(fleet, ledger, max_attempts=settings.max_attempts, limits=limits)


def open_reconciler(settings: Settings, storage: Storage) -> Reconciler:
    """The reconciler for abandoned attempts, in a process that runs no jobs itself."""
    prices = open_price_book(settings)
    engine = open_engine(settings, storage, LedgerWriter(storage), prices)
    return Reconciler(storage, engine.fleet, engine.closing)


def open_fleet(settings: Settings, storage: Storage, prices: PriceBook) -> Fleet:
    """All backends that are set up."""
    return Fleet(
        open_backends(settings),
        prices,
        open_budget(settings, storage, prices),
        primary=settings.primary_backend,
        priority=settings.backend_selection_priority,
        speeds=lambda: recent_speeds(storage),
        spot_price=SpotPrices(settings),
        store_health=ProvenStore(storage, accept=settings.unproven_store == "accept").health,
    )


def open_budget(settings: Settings, storage: Storage, prices: PriceBook | None = None) -> Budget:
    """The budget limits of this installation; a tenant's own limits come with its permission.

    Raises:
        PriceBookError: the price book cannot be read.
    """
    money = Money(day_usd=settings.daily_cost_threshold, month_usd=settings.monthly_cost_threshold)
    prices = prices or open_price_book(settings)
    return Budget(
        storage,
        money,
        prices=prices,
        workers=workers_of(settings),
        shared_by=settings.shared_costs_by,
        of_backends=settings.backend_limits_usd,
    )


def count_now(settings: Settings, storage: Storage) -> Spent | None:
    """What the budget limits count at this moment; None in a bucket with synthetic costs.

    Raises:
        StorageError: the bucket cannot be read.
        PriceBookError: the price book cannot be read.
    """
    return LimitCount().at(settings, storage, utc_now())


@dataclass
class LimitCount:
    """The same again and again: each time, only what is new in the month is read.

    Of one bucket. After a change of prices, all of the month is read again.
    """

    _prices: PriceBook | None = None
    _spending: Spending | None = None

    def at(self, settings: Settings, storage: Storage, now: datetime) -> Spent | None:
        """What counts at a moment; raises as `count_now`."""
        if is_synthetic(storage):
            return None
        prices = open_price_book(settings)
        if self._spending is None or prices != self._prices:
            workers, shared_by = workers_of(settings), settings.shared_costs_by
            self._prices = prices
            self._spending = Spending(storage, prices, workers, shared_by)
        return self._spending.sum(now)


def workers_of(settings: Settings) -> WorkerLimits:
    """A function from a backend's name to its largest number of workers; None: unknown.

    It holds for each sku: an endpoint of RunPod, a kind of machine of AWS or Google.
    """
    most = {
        RUNPOD: settings.runpod_workers_max,
        AWS_GPU: settings.machines_at_once,
        GCP_GPU: settings.machines_at_once,
    }
    return most.get
