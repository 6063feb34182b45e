"""Turns expected exceptions into one-line errors of the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from escriba.billing.price_book import PriceBookError
from escriba.known_secrets import masked
from escriba.settings import SettingsError
from resources.storage.base import StorageError


class CouldNotStartError(click.ClickException):
    """An error in settings, bucket or price book; exits with status 2 as all commands do."""

    exit_code = 2


@contextmanager
def plain_errors(*others: type[Exception]) -> Iterator[None]:
    """Convert errors of bucket, cost tables, settings and disk, and `others`, for click.

    Raises:
        click.ClickException: replaces each of these errors, with the same message.
    """
    import duckdb

    from resources.costs_database.build_marts import CostsBuildError
    from resources.costs_database.database_file import CostsBusyError, CostsNotBuiltError

    costs = (CostsBuildError, CostsBusyError, CostsNotBuiltError)
    expected: tuple[type[Exception], ...] = (*costs, *others)
    try:
        yield
    except (SettingsError, StorageError, PriceBookError) as error:
        raise CouldNotStartError(masked(str(error))) from error
    except expected as error:
        raise click.ClickException(masked(str(error))) from error
    except duckdb.Error as error:
        raise click.ClickException(masked(f"COSTS_DATABASE: {first_line(error)}")) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(masked(f"{where}{error.strerror or error}.")) from error


def first_line(error: Exception) -> str:
    """Return the first line of a DuckDB error; the rest locates it in the query or in DuckDB."""
    return str(error).partition("\n")[0]
