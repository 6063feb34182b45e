"""Dated lines of a seed: what both the price book and the exchange rates are read from."""

import csv
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Protocol, TypeVar

NANODOLLAR = Decimal("0.000000001")  # sums of millions of rows stay exact
FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Dated(Protocol):
    """A line that is valid from `valid_from` (inclusive) to `valid_to` (exclusive), UTC."""

    @property
    def name(self) -> str:
        """Of what; lines of one name never overlap."""
        ...

    @property
    def valid_from(self) -> datetime: ...  # noqa: D102

    @property
    def valid_to(self) -> datetime: ...  # noqa: D102


Line = TypeVar("Line", bound=Dated)


@dataclass(frozen=True, slots=True)
class Seed:
    """How a seed is spoken of: what its lines are, and which setting names it.

    advice: what to do where it cannot be read. error: what is raised of it.
    """

    lines: str
    setting: str
    advice: str
    error: type[ValueError]


def read_seed(path: Path, seed: Seed, make: Callable[[dict[str, str]], Line]) -> tuple[Line, ...]:
    """All lines of a CSV file.

    Raises:
        ValueError: the seed's own, of a file or a line that cannot be read, or lines that overlap.
    """
    try:
        lines = list(_lines(path, seed, make))
    except OSError as error:
        raise seed.error(
            f"{seed.setting}: {str(path)!r} cannot be read ({error.strerror}){seed.advice}"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise seed.error(
            f"{seed.setting}: {str(path)!r} is no CSV in UTF-8 ({error}){seed.advice}"
        ) from error
    for first, second in _overlaps(lines):
        raise seed.error(
            f"{seed.setting}: {str(path)!r}: two {seed.lines} of {first.name} overlap at "
            f"{second.valid_from:%Y-%m-%d}: end the older one with valid_to."
        )
    return tuple(lines)


def _lines(path: Path, seed: Seed, make: Callable[[dict[str, str]], Line]) -> Iterator[Line]:
    with path.open(newline="", encoding="utf-8-sig") as file:  # as spreadsheets write it
        reader = csv.DictReader(file)
        for fields in reader:
            try:
                yield _made(fields, make)
            except (KeyError, ValueError) as error:
                named = isinstance(error, KeyError)
                why = f"the first line names no column {error}" if named else error
                where = f"{seed.setting}: {str(path)!r}, line {reader.line_num}"
                raise seed.error(f"{where}: {why}.") from error


def _made(fields: dict[str, str], make: Callable[[dict[str, str]], Line]) -> Line:
    if None in fields or None in fields.values():
        raise ValueError("it has not as many fields as the first line")
    line = make(fields)
    if line.valid_to <= line.valid_from:
        raise ValueError("valid_to is not after valid_from")
    return line


def _overlaps(lines: Iterable[Line]) -> Iterator[tuple[Line, Line]]:
    """Pairs of one name that hold at the same time, the older first."""
    in_order = sorted(lines, key=lambda line: (line.name, line.valid_from))
    for first, second in itertools.pairwise(in_order):
        if first.name == second.name and second.valid_from < first.valid_to:
            yield first, second


def gap(lines: Iterable[Dated]) -> str:
    """The first stretch after a line in which its name has none, in words; empty: there is none."""
    in_order = sorted(lines, key=lambda line: (line.name, line.valid_from))
    for first, second in itertools.pairwise(in_order):
        if first.name == second.name and first.valid_to < second.valid_from:
            return f"{first.name} from {first.valid_to:%Y-%m-%d} to {second.valid_from:%Y-%m-%d}"
    return ""


def day(text: str, column: str = "valid_from") -> datetime:
    """The first moment of a day, UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{column} {text!r} is no day such as 2026-03-01") from error


def last_day(text: str) -> datetime:
    """The same of a valid_to; empty is for ever."""
    return day(text, "valid_to") if text else FOR_EVER


def positive(text: str, column: str) -> Decimal:
    """An amount that is not below zero."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{column} {text!r} is no amount of money such as 0.00019")
    return amount
