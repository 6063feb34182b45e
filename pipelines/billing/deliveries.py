"""Deliveries of bills that come in parts, again, or corrected: what of them counts.

A payer's period is one bill. What a delivery says of it takes the place of what the one before
said, as a whole; files of one delivery add up, at once or one at a time. No provider writes into
a file of which delivery it is, so a file's lines tell: those that stand already, or none of them.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from .invoices import BilledLine, InvoiceError

Wish = Literal["", "part", "whole"]
# same: nothing new; replaced: it was taken before, and another delivery has its place since
Verdict = Literal["part", "whole", "same", "replaced"]
_SHARED = 0.5  # of a file's lines, where only their names are others: it says them again
_NUMBERED = re.compile(r"^(.*?)[-_.]?(\d+)$")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Files by the digest of their lines; their names. again: those that came once more since."""

    files: Mapping[str, str]
    again: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stand:
    """What is known of a bill: its lines, its rows, and its deliveries, the last one counts.

    is_whole: every row knows its lines; those of older versions do not.
    """

    lines: frozenset[str]
    rows: frozenset[str]
    deliveries: tuple[Delivery, ...]
    is_whole: bool = True

    @property
    def files(self) -> Mapping[str, str]:
        """Those that stand."""
        return self.deliveries[-1].files if self.deliveries else {}


@dataclass(frozen=True, slots=True)
class Came:
    """What an import has of a bill: its lines by file, and the names of its rows.

    only_grows: the provider only ever adds lines, and says when it wrote each.
    may_correct: it may write other amounts into lines that it wrote before.
    """

    lines: Mapping[str, frozenset[str]]
    rows: frozenset[str]
    only_grows: bool = False
    may_correct: bool = True

    def digests(self) -> dict[str, str]:
        """Of each file, and its name."""
        return {digest_of(lines): name for name, lines in self.lines.items()}


def marked(lines: Iterable[BilledLine]) -> Iterator[BilledLine]:
    """With a fingerprint each; of lines that are the same in all, the second is another one."""
    seen: Counter[str] = Counter()
    for line in lines:
        mark = _fingerprint(line)
        seen[mark] += 1
        times = seen[mark]
        yield replace(line, lines=(mark if times == 1 else f"{mark}+{times}",))


def digest_of(lines: Iterable[str]) -> str:
    """Of a file's lines of one bill, in whatever order they stand."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def judged(came: Came, stand: Stand, wish: Wish, bill: str) -> Verdict:
    """Whether files are parts of the delivery that stands, or a new one in its place.

    wish: what the user says they are, where that is known.

    Raises:
        InvoiceError: nothing tells; says what to say.
    """
    if wish or not stand.rows:
        return wish or "whole"
    if not stand.is_whole:
        return "whole" if came.rows & stand.rows else "part"
    return "part" if came.only_grows else _by_lines(came, stand, bill)


def _by_lines(came: Came, stand: Stand, bill: str) -> Verdict:
    new = {digest: name for digest, name in came.digests().items() if digest not in stand.files}
    lines: frozenset[str] = frozenset().union(*(came.lines[name] for name in new.values()))
    if not new:
        return "same"
    if _says_again(lines, stand.lines):
        earlier = {digest for one in stand.deliveries[:-1] for digest in one.files}
        if earlier.issuperset(new):
            return "replaced"
        _hold_again(came.digests(), stand, bill)
        return "whole"
    is_told = _has_names(lines) or _are_numbered(new, stand.files)
    if came.may_correct and came.rows & stand.rows and not is_told:
        raise InvoiceError(
            f"{', '.join(sorted(new.values()))}: {bill} was imported before, none of its lines "
            "is said again, and they have no names (identity_line_item_id): is it a further part "
            "of that delivery (--part), or all of a new one (--whole)?"
        )
    return "part"


def _hold_again(came: Mapping[str, str], stand: Stand, bill: str) -> None:
    """A file that came once more may be a part of the new delivery that did not change."""
    if not stand.deliveries:
        return
    last = stand.deliveries[-1]
    again = last.again - came.keys()
    if again and set(came.values()) & set(last.files.values()):
        names = ", ".join(sorted(last.files[digest] for digest in again))
        raise InvoiceError(
            f"{', '.join(sorted(came.values()))}: {bill} is delivered anew, and {names} of the "
            "delivery before came once more: give all files of the new delivery at once."
        )


def _says_again(lines: frozenset[str], standing: frozenset[str]) -> bool:
    """Whether lines stand already; nobody promises that their names stay what they were."""
    if lines & standing:
        return True
    contents = Counter(_content(mark) for mark in standing)
    again = Counter(_content(mark) for mark in lines) & contents
    return again.total() >= _SHARED * len(lines)


def _content(mark: str) -> str:
    return mark.partition("-")[0].partition("+")[0]


def _has_names(lines: Iterable[str]) -> bool:
    return any("-" in mark for mark in lines)


def _are_numbered(new: Mapping[str, str], standing: Mapping[str, str]) -> bool:
    """Whether their names differ in nothing but the number of the part, as providers write it."""
    names = [
        _NUMBERED.match(name.partition(".")[0]) for name in (*new.values(), *standing.values())
    ]
    found = [name.groups() for name in names if name]
    return len(found) == len(names) == len(set(found)) and len({stem for stem, _ in found}) == 1


def _fingerprint(line: BilledLine) -> str:
    """Of what it says, and of its name where it has one; the invoice's number comes late."""
    times = f"{line.period_start.isoformat()}/{line.period_end.isoformat()}"
    amount = f"{line.amount.normalize():f} {line.currency}"
    told = (line.bill, line.sku, line.category, times, amount, line.description, line.of)
    name = f"-{_digest(line.line_id, 8)}" if line.line_id else ""
    return f"{_digest(chr(10).join(told), 16)}{name}"


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
