"""Committed use: what is paid for a stretch of days in advance, and spread over them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from .seed_lines import FOR_EVER, Seed, day, last_day, positive, read_seed


class CommitmentError(ValueError):
    """A line of the table cannot be used; names it."""


_SEED = Seed("terms", "COMMITTED_USE", ".", CommitmentError)


@dataclass(frozen=True, slots=True)
class Commitment:
    """USD paid for all of a term, from `valid_from` (inclusive) to `valid_to` (exclusive), UTC."""

    name: str
    backend: str
    sku: str
    usd: Decimal
    valid_from: datetime
    valid_to: datetime


def read_commitments(path: Path) -> tuple[Commitment, ...]:
    """The table in a CSV file with the columns of `Commitment`; most have no line.

    Raises:
        CommitmentError: a file or a line that cannot be read; two terms of one name overlap.
    """
    return read_seed(path, _SEED, _commitment)


def _commitment(line: dict[str, str]) -> Commitment:
    until = last_day(line["valid_to"])
    if until == FOR_EVER:
        raise ValueError("valid_to is empty, and a term has an end")
    return Commitment(
        name=line["name"],
        backend=line["backend"],
        sku=line["sku"],
        usd=positive(line["usd"], "usd"),
        valid_from=day(line["valid_from"]),
        valid_to=until,
    )
