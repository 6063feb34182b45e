"""What goes wrong on the way to an answer is a sentence, whatever raised it."""

import click
import duckdb
import pytest

from cli.plain_errors import plain_errors
from escriba.billing.price_book import PriceBookError
from escriba.settings import SettingsError
from resources.costs_database.build_marts import CostsBuildError
from resources.costs_database.database_file import CostsBusyError, CostsNotBuiltError
from resources.mail import MailError
from resources.storage.base import StorageError


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (CostsBuildError("a mart failed"), "a mart failed", 1),
        (CostsBusyError("in use"), "in use", 1),
        (CostsNotBuiltError("build it"), "build it", 1),
        (MailError("no server"), "no server", 1),
        (
            duckdb.IOException("IO Error: no room\n  at file.cpp"),
            "COSTS_DATABASE: IO Error: no room",
            1,
        ),
        (
            OSError(28, "No space left on device", "f.parquet"),
            "f.parquet: No space left on device.",
            1,
        ),
        (StorageError("no bucket"), "no bucket", 2),
        (PriceBookError("line 3"), "line 3", 2),
        (SettingsError("X is wrong"), "X is wrong", 2),
    ],
)
def test_a_fault_is_what_it_says_and_its_exit_status(error, said, code):
    with pytest.raises(click.ClickException) as caught, plain_errors(MailError):
        raise error

    assert (caught.value.message, caught.value.exit_code) == (said, code)


def test_a_fault_of_the_code_itself_is_not_hidden():
    with pytest.raises(ZeroDivisionError), plain_errors():
        raise ZeroDivisionError
