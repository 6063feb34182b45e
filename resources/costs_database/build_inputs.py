"""Checks before a build, and the errors of a build."""

from pathlib import Path

from escriba.billing.committed_use import CommitmentError, read_commitments
from escriba.billing.dated_rows import gap
from escriba.billing.exchange_rates import ExchangeRateError, read_exchange_rates
from escriba.billing.price_book import PriceBookError
from escriba.errors import EscribaError
from escriba.settings import Settings
from resources.price_book import open_price_book

from .database import bucket_of
from .database_file import CostsDamagedError, CostsNotBuiltError
from .dbt_results import Result
from .read_only import read_only


class CostsBuildError(EscribaError, RuntimeError):
    """dbt could not build, or a test failed; names the models and the tests.

    results: of all models and tests, built or not.
    """

    def __init__(self, message: str, results: tuple[Result, ...] = ()) -> None:
        super().__init__(message)
        self.results = results


class CostsLostError(CostsBuildError):
    """The database was damaged and is removed; it can be loaded again from the bucket."""


def check_seeds(settings: Settings, *, gaps: bool) -> None:
    """Check the price book and the rates: overlaps would duplicate rows. gaps: check for gaps."""
    try:
        prices = open_price_book(settings).prices
        rates = read_exchange_rates(settings.exchange_rates).rates
        read_commitments(settings.committed_use)
    except (PriceBookError, ExchangeRateError, CommitmentError) as error:
        raise CostsBuildError(str(error)) from error
    for setting, lines in (("PRICE_BOOK", prices), ("EXCHANGE_RATES", rates)):
        if gaps and (missing := gap(lines)):
            raise CostsBuildError(f"{setting} has a gap: there is no line for {missing}. Add one.")


def check_loaded(path: Path) -> None:
    """Check that the database is loaded: a build of an empty one would show no costs."""
    try:
        with read_only(path, "ledger.bucket") as connection:
            if bucket_of(connection):
                return
    except CostsDamagedError as error:
        raise CostsBuildError(str(error)) from error
    except CostsNotBuiltError:
        pass
    raise CostsBuildError(f"COSTS_DATABASE: {path} is empty. Load the ledger first.")
