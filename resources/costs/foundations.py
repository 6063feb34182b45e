"""What must hold before anything is built, and what is said where it does not."""

from pathlib import Path

from pipelines.billing.commitments import CommitmentError, read_commitments
from pipelines.billing.currencies import ExchangeRateError, read_exchange_rates
from pipelines.billing.prices import PriceBookError
from pipelines.billing.seed_lines import gap
from pipelines.price_book import open_price_book
from pipelines.settings import Settings

from .database import bucket_of
from .reading import read_only
from .results import Result
from .standing import CostsDamagedError, CostsNotBuiltError


class CostsBuildError(RuntimeError):
    """dbt could not build, or a rule does not hold; names the models and the tests.

    results: what was built all the same, and what was not.
    """

    def __init__(self, message: str, results: tuple[Result, ...] = ()) -> None:
        super().__init__(message)
        self.results = results


class CostsLostError(CostsBuildError):
    """The database was found damaged and is removed: the bucket has all of it."""


def hold_seeds(settings: Settings, *, gaps: bool) -> None:
    """With two prices at a time rows would be there twice. gaps: where no rule of dbt's tells."""
    try:
        prices = open_price_book(settings).prices
        rates = read_exchange_rates(settings.exchange_rates).rates
        read_commitments(settings.committed_use)
    except (PriceBookError, ExchangeRateError, CommitmentError) as error:
        raise CostsBuildError(str(error)) from error
    for setting, lines in (("PRICE_BOOK", prices), ("EXCHANGE_RATES", rates)):
        if gaps and (missing := gap(lines)):
            raise CostsBuildError(f"{setting}: there is a gap: nothing is said of {missing}.")


def hold_loaded(path: Path) -> None:
    """A build of a database that was lost meanwhile would tell of no costs at all."""
    try:
        with read_only(path, "ledger.bucket") as connection:
            if bucket_of(connection):
                return
    except CostsDamagedError as error:
        raise CostsBuildError(str(error)) from error
    except CostsNotBuiltError:
        pass
    raise CostsBuildError(f"COSTS_DATABASE: nothing was loaded into {path}: load the ledger first.")
