"""What goes wrong on the way to an answer, as a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from pipelines.billing.prices import PriceBookError
from pipelines.settings import SettingsError
from resources.storage.base import StorageError

_COULD_NOT_START = 2


@contextmanager
def told_plainly(*others: type[Exception]) -> Iterator[None]:
    """What the bucket, the cost tables, the settings or the disk refuse; others: as they say it.

    Raises:
        click.ClickException: instead of any of these.
    """
    import duckdb

    from resources.costs.building import CostsBuildError
    from resources.costs.standing import CostsBusyError, CostsNotBuiltError

    try:
        yield
    except (SettingsError, StorageError, PriceBookError) as error:
        told = click.ClickException(str(error))
        told.exit_code = _COULD_NOT_START  # as wherever else they come from
        raise told from error
    except (CostsBuildError, CostsBusyError, CostsNotBuiltError, *others) as error:
        raise click.ClickException(str(error)) from error
    except duckdb.Error as error:
        raise click.ClickException(f"COSTS_DATABASE: {first_line(error)}") from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{where}{error.strerror or error}.") from error


def first_line(error: Exception) -> str:
    """Of what DuckDB says; the rest is where in its own code, or in the question."""
    return str(error).partition("\n")[0]
