"""Committed use: amounts paid in advance for a term of days, and spread over them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from escriba.errors import EscribaError

from .dated_rows import FOR_EVER, DatedTable, day, parse_end_day, positive, read_seed


class CommitmentError(EscribaError, ValueError):
    """A line of the table is invalid; names it."""


_SEED = DatedTable("terms", "COMMITTED_USE", ".", CommitmentError)


@dataclass(frozen=True, slots=True)
class Commitment:
    """USD paid for a whole term, from `valid_from` (inclusive) to `valid_to` (exclusive), UTC."""

    name: str
    backend: str
    sku: str
    usd: Decimal
    valid_from: datetime
    valid_to: datetime


def read_commitments(path: Path) -> tuple[Commitment, ...]:
    """The commitments in a CSV file with the columns of `Commitment`; the file may have no rows.

    Raises:
        CommitmentError: the file or a line cannot be read, or two terms of one name overlap.
    """
    return read_seed(path, _SEED, _commitment)


def _commitment(line: dict[str, str]) -> Commitment:
    until = parse_end_day(line["valid_to"])
    if until == FOR_EVER:
        raise ValueError("valid_to is empty, but a term needs an end")
    return Commitment(
        name=line["name"],
        backend=line["backend"],
        sku=line["sku"],
        usd=positive(line["usd"], "usd"),
        valid_from=day(line["valid_from"]),
        valid_to=until,
    )
