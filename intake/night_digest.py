"""The digest: one page on what happened since the last one; plain Python."""

from collections import Counter
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from escriba.text_for.markdown import markdown, markdown_row

_MAX_FAILURES = 50  # on the page; the JSON file lists all


class Failure(BaseModel):
    """A failed recording that needs attention."""

    model_config = ConfigDict(frozen=True)

    recording: str
    message: str
    advice: str
    permanent: bool


class Warned(BaseModel):
    """A warning of a recording that finished since the last digest."""

    model_config = ConfigDict(frozen=True)

    recording: str
    code: str
    message: str


class Digest(BaseModel):
    """`digests/<night>.json`. Amounts in USD; times in UTC; `since` is exclusive.

    spent_usd: cost of the attempts that ended in the period, with their share of cold start and
        idle time, from the cost tables.
    upkeep: a line of each cleanup, backup and care of the database in the period.
    without_tables: why the cost tables were not available; spent_usd then covers run time alone.
    """

    model_config = ConfigDict(frozen=True)

    night: str
    since: datetime
    until: datetime
    done: int
    audio_seconds: float
    spent_usd: Decimal
    wasted_usd: Decimal
    without_tables: str = ""
    attempts: int
    waiting: int
    oldest_waiting: str = ""
    oldest_waiting_since: datetime | None = None
    deferred: int = 0
    failures: tuple[Failure, ...] = ()
    refused_names: int = 0
    left_out: int = 0
    warnings: tuple[Warned, ...] = ()
    upkeep: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """One line, for a log."""
        return (
            f"Night of {self.night}: {self.done:,} done ({self.audio_seconds / 3600:,.1f} h of "
            f"audio), {len(self.failures):,} failed, {self.waiting:,} waiting, "
            f"{self.deferred:,} deferred by a budget limit, "
            f"{len({one.recording for one in self.warnings}):,} with warnings, "
            f"{self.spent_usd:.4f} USD spent, {self.wasted_usd:.4f} of it on failed attempts."
        )


def page(digest: Digest) -> str:
    """The digest as Markdown."""
    lines = [f"# Escriba, night of {digest.night}", "", digest.headline, ""]
    lines.append(f"From {digest.since:%Y-%m-%d %H:%M} to {digest.until:%Y-%m-%d %H:%M} UTC.")
    lines += _notes(digest)
    if digest.failures:
        lines += ["", "| failed | reason | what to do |", "| --- | --- | --- |"]
        shown = digest.failures[:_MAX_FAILURES]
        lines += [_row(failure) for failure in shown]
        left = len(digest.failures) - len(shown)
        lines += ["", f"… and {left:,} more in `{digest.night}.json`."] if left else []
    if digest.warnings:
        lines += ["", "| warning | recordings | example | message |", "| --- | --- | --- | --- |"]
        lines += _warning_rows(digest.warnings)
    return "\n".join(lines) + "\n"


def _notes(digest: Digest) -> list[str]:
    lines: list[str] = []
    if digest.without_tables:
        reason = markdown(digest.without_tables)
        lines += ["", f"Amounts cover run time alone, without cold start and idle time: {reason}"]
    if digest.oldest_waiting and digest.oldest_waiting_since:
        since = f"{digest.oldest_waiting_since:%Y-%m-%d %H:%M} UTC"
        oldest = markdown(digest.oldest_waiting)
        lines += ["", f"The oldest unfinished recording, since {since}: {oldest}."]
    if digest.refused_names:
        lines += ["", f"{digest.refused_names:,} files have names that cannot be used."]
    if digest.left_out:
        lines += [
            "",
            f"{digest.left_out:,} files in the inbox are not recordings and are left out.",
        ]
    for line in digest.upkeep:
        lines += ["", markdown(line)]
    return lines


def _warning_rows(warnings: tuple[Warned, ...]) -> list[str]:
    """A row for each kind, most frequent first, with one example recording."""
    kinds = Counter(code for _, code in {(one.recording, one.code) for one in warnings})
    first = {one.code: one for one in reversed(warnings)}
    return [
        markdown_row(code, f"{count:,}", first[code].recording, first[code].message)
        for code, count in sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    ]


def _row(failure: Failure) -> str:
    return markdown_row(failure.recording, failure.message, failure.advice)
