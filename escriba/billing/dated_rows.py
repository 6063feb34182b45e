"""Dated lines of a seed file, such as the price book and the exchange rates."""

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


class DatedRow(Protocol):
    """A line that is valid from `valid_from` (inclusive) to `valid_to` (exclusive), UTC."""

    @property
    def name(self) -> str:
        """What the line is for; lines with the same name never overlap."""
        ...

    @property
    def valid_from(self) -> datetime: ...  # noqa: D102

    @property
    def valid_to(self) -> datetime: ...  # noqa: D102


Line = TypeVar("Line", bound=DatedRow)


@dataclass(frozen=True, slots=True)
class DatedTable:
    """How error messages name a seed: its kind of lines, and the setting with its path.

    advice: what to do if it cannot be read. error: the exception to raise.
    """

    lines: str
    setting: str
    advice: str
    error: type[ValueError]


def read_seed(
    path: Path, seed: DatedTable, make: Callable[[dict[str, str]], Line]
) -> tuple[Line, ...]:
    """All lines of a CSV file.

    Raises:
        ValueError: `seed.error`: the file or a line cannot be read, or two lines overlap.
    """
    try:
        lines = list(_lines(path, seed, make))
    except OSError as error:
        raise seed.error(
            f"{seed.setting}: {str(path)!r} cannot be read ({error.strerror}){seed.advice}"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise seed.error(
            f"{seed.setting}: {str(path)!r} is not a CSV file in UTF-8 ({error}){seed.advice}"
        ) from error
    for first, second in _overlaps(lines):
        raise seed.error(
            f"{seed.setting}: {str(path)!r}: two {seed.lines} of {first.name} overlap at "
            f"{second.valid_from:%Y-%m-%d}. Set valid_to of the older one."
        )
    return tuple(lines)


def _lines(path: Path, seed: DatedTable, make: Callable[[dict[str, str]], Line]) -> Iterator[Line]:
    with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets write a BOM
        reader = csv.DictReader(file)
        for fields in reader:
            try:
                yield _made(fields, make)
            except (KeyError, ValueError) as error:
                is_missing = isinstance(error, KeyError)
                why = f"the header has no column {error}" if is_missing else error
                where = f"{seed.setting}: {str(path)!r}, line {reader.line_num}"
                raise seed.error(f"{where}: {why}.") from error


def _made(fields: dict[str, str], make: Callable[[dict[str, str]], Line]) -> Line:
    if None in fields or None in fields.values():
        raise ValueError("its number of fields differs from the header")
    line = make(fields)
    if line.valid_to <= line.valid_from:
        raise ValueError("valid_to is not after valid_from")
    return line


def _overlaps(lines: Iterable[Line]) -> Iterator[tuple[Line, Line]]:
    """Pairs of overlapping lines with the same name, the older first."""
    in_order = sorted(lines, key=lambda line: (line.name, line.valid_from))
    for first, second in itertools.pairwise(in_order):
        if first.name == second.name and second.valid_from < first.valid_to:
            yield first, second


def gap(lines: Iterable[DatedRow]) -> str:
    """The first gap between two lines of the same name, in words; empty if there is none."""
    in_order = sorted(lines, key=lambda line: (line.name, line.valid_from))
    for first, second in itertools.pairwise(in_order):
        if first.name == second.name and first.valid_to < second.valid_from:
            return f"{first.name} from {first.valid_to:%Y-%m-%d} to {second.valid_from:%Y-%m-%d}"
    return ""


def day(text: str, column: str = "valid_from") -> datetime:
    """The start of a day, UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{column} {text!r} is not a date such as 2026-03-01") from error


def parse_end_day(text: str) -> datetime:
    """The start of the day in `valid_to`; FOR_EVER if it is empty."""
    return day(text, "valid_to") if text else FOR_EVER


def positive(text: str, column: str) -> Decimal:
    """An amount that is not negative."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{column} {text!r} is not an amount of money such as 0.00019")
    return amount
