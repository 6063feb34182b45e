"""Which files of a bill count when a provider delivers it in parts, again, or corrected.

A payer's billing period is one bill. A new delivery replaces the previous one as a whole; the
files of one delivery add up, imported together or one at a time. No provider marks the delivery
in its files, so their lines decide: either some of them are known already, or none is.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from .bill_file_names import are_parts
from .bill_part_or_whole import (
    refuse_copies,
    refuse_later_parts,
    refuse_new_parts,
    refuse_old_copies,
)
from .invoice_rows import BilledLine, InvoiceError

DeliveryKind = Literal["", "part", "whole"]
# same: nothing new; replaced: imported before, but a later delivery has replaced it
Verdict = Literal["part", "whole", "same", "replaced"]
_SHARED = 0.5  # of a file's lines with known content, above which it repeats a known file


@dataclass(frozen=True, slots=True)
class BillDelivery:
    """One delivery: the names of its files by the digest of their lines.

    again: files that were imported again since. later: files that were added as parts after the
    first import.
    """

    files: Mapping[str, str]
    again: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownBill:
    """What is known about a bill: its lines, rows, and deliveries; the last delivery counts.

    is_whole: every row has its lines; rows of older versions do not.
    """

    lines: frozenset[str]
    rows: frozenset[str]
    deliveries: tuple[BillDelivery, ...]
    is_whole: bool = True

    @property
    def files(self) -> Mapping[str, str]:
        """The files of the current delivery."""
        return self.deliveries[-1].files if self.deliveries else {}


@dataclass(frozen=True, slots=True)
class ImportedBill:
    """What an import contains of one bill: its lines by file, and the ids of its rows.

    only_grows: the provider only adds lines, and each has its time of writing. may_correct: the
    provider may change amounts of earlier lines.
    """

    lines: Mapping[str, frozenset[str]]
    rows: frozenset[str]
    only_grows: bool = False
    may_correct: bool = True

    def digests(self) -> dict[str, str]:
        """The digest of each file's lines, and the file's name."""
        return {lines_digest(lines): name for name, lines in self.lines.items()}


def with_fingerprints(lines: Iterable[BilledLine]) -> Iterator[BilledLine]:
    """The lines with a fingerprint each; repeated identical lines get a different one each."""
    seen: Counter[str] = Counter()
    for line in lines:
        mark = _fingerprint(line)
        seen[mark] += 1
        times = seen[mark]
        yield replace(line, lines=(mark if times == 1 else f"{mark}+{times}",))


def lines_digest(lines: Iterable[str]) -> str:
    """A digest of a file's lines of one bill, in any order."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def delivery_verdict(
    imported: ImportedBill, known: KnownBill, given: DeliveryKind, bill: str
) -> Verdict:
    """Whether files are parts of the current delivery, or a new one that replaces it.

    given: what the user says they are (--part, --whole); empty if unknown.

    Raises:
        InvoiceError: the files are ambiguous; says which option to use.
    """
    if given or not known.rows:
        return given or "whole"
    if not known.is_whole:
        return "whole" if imported.rows & known.rows else "part"
    return "part" if imported.only_grows else _by_lines(imported, known, bill)


def _by_lines(imported: ImportedBill, known: KnownBill, bill: str) -> Verdict:
    new = {digest: name for digest, name in imported.digests().items() if digest not in known.files}
    lines: frozenset[str] = frozenset().union(*(imported.lines[name] for name in new.values()))
    if not new:
        refuse_copies(imported.digests(), known.files, bill)
        return "same"
    if _repeats(lines, known.lines):
        earlier = [
            (digest, name) for one in known.deliveries[:-1] for digest, name in one.files.items()
        ]
        if {digest for digest, _ in earlier}.issuperset(new):
            refuse_old_copies(new, earlier, bill)
            return "replaced"
        _refuse_repeated(imported.digests(), known, bill)
        if not lines >= known.lines:
            later = known.deliveries[-1].later if known.deliveries else frozenset()
            refuse_later_parts(imported.digests(), known.files, later, bill)
        return "whole"
    refuse_new_parts(imported.digests(), known.files, bill)
    is_clear = _has_names(lines) or are_parts((*new.values(), *known.files.values()))
    if imported.may_correct and imported.rows & known.rows and not is_clear:
        raise InvoiceError(
            f"{', '.join(sorted(new.values()))}: {bill} was imported before, and the new lines "
            "neither repeat known ones nor have ids (identity_line_item_id). Use --part for "
            "another part of that delivery, or --whole for a complete new one."
        )
    return "part"


def _refuse_repeated(imported: Mapping[str, str], known: KnownBill, bill: str) -> None:
    """Refuse if a file that was imported again may be an unchanged part of the new delivery."""
    if not known.deliveries:
        return
    last = known.deliveries[-1]
    again = last.again - imported.keys()
    if again and set(imported.values()) & set(last.files.values()):
        names = ", ".join(sorted(last.files[digest] for digest in again))
        raise InvoiceError(
            f"{', '.join(sorted(imported.values()))}: this is a new delivery of {bill}, and "
            f"{names} of the previous delivery was imported again. Import all files of the new "
            "delivery together."
        )


def _repeats(lines: frozenset[str], known_lines: frozenset[str]) -> bool:
    """Whether lines are known already, by id or by content, since ids may change."""
    if lines & known_lines:
        return True
    contents = Counter(_content(mark) for mark in known_lines)
    again = Counter(_content(mark) for mark in lines) & contents
    return again.total() >= _SHARED * len(lines)


def _content(mark: str) -> str:
    return mark.partition("-")[0].partition("+")[0]


def _has_names(lines: Iterable[str]) -> bool:
    return any("-" in mark for mark in lines)


def _fingerprint(line: BilledLine) -> str:
    """A hash of the line's content, and of its id if it has one.

    The invoice number is left out, because providers add it later.
    """
    times = f"{line.period_start.isoformat()}/{line.period_end.isoformat()}"
    amount = f"{line.amount.normalize():f} {line.currency}"
    parts = (line.bill, line.sku, line.category, times, amount, line.description, line.of)
    name = f"-{_digest(line.line_id, 8)}" if line.line_id else ""
    return f"{_digest(chr(10).join(parts), 16)}{name}"


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
