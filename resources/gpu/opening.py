"""The job engine as the settings want it: all backends that are set up, prices, limits."""

from pipelines.billing.policy import Limits as Money
from pipelines.billing.prices import PriceBook
from pipelines.billing.standing import Spent, Workers
from pipelines.price_book import open_price_book
from pipelines.settings import Settings
from resources.budget import Budget
from resources.ledger_writer import LedgerWriter
from resources.speeds import recent_speeds
from resources.spending import Spending
from resources.storage.base import Storage
from resources.storage.clock import utc_now
from resources.synthetic import is_synthetic

from .engine import JobEngine
from .fleet import Fleet
from .orders import Limits
from .reconcile import Reconciler
from .registry import open_backends


def open_engine(
    settings: Settings, storage: Storage, ledger: LedgerWriter, prices: PriceBook
) -> JobEngine:
    """The engine; nothing is started and nothing is asked of anybody yet."""
    limits = Limits(settings.queue_limit_seconds, settings.job_timeout_seconds)
    fleet = open_fleet(settings, storage, prices)
    return JobEngine(fleet, ledger, max_attempts=settings.max_attempts, limits=limits)


def open_reconciler(settings: Settings, storage: Storage) -> Reconciler:
    """For attempts that nobody looks at; of a process that runs nothing itself."""
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
    )


def open_budget(settings: Settings, storage: Storage, prices: PriceBook | None = None) -> Budget:
    """The limits of everybody; each tenant's own come with its permission.

    Raises:
        PriceBookError: it cannot be read.
    """
    money = Money(day_usd=settings.daily_cost_threshold, month_usd=settings.monthly_cost_threshold)
    prices = prices or open_price_book(settings)
    return Budget(storage, money, prices=prices, workers=workers_of(settings))


def count_now(settings: Settings, storage: Storage) -> Spent | None:
    """What the gate counts at this moment; None in a bucket of made-up costs, where nobody paid.

    Raises:
        StorageError: the bucket cannot be read.
        PriceBookError: the price book cannot.
    """
    if is_synthetic(storage):
        return None
    prices = open_price_book(settings)
    return Spending(storage, prices, workers_of(settings)).sum(utc_now())


def workers_of(settings: Settings) -> Workers:
    """Of a backend: how many run at once, at most."""
    most = {"runpod": settings.runpod_workers_max}
    return most.get
