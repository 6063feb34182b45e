"""Outcomes of stages and recordings, and how progress is reported: progress bars or the log."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from escriba.errors import OVER_BUDGET
from escriba.recording_warnings import RecordingWarning, once
from escriba.recordings import Recording
from escriba.text_for.plain_lines import log_line

Numbers = Mapping[str, float | int | str | bool | None]


@dataclass(frozen=True)
class Checked:
    """The result of a check of `escriba.stages.CHECKS`, with its figures."""

    name: str
    passed: bool
    numbers: Numbers = field(default_factory=dict)


@dataclass(frozen=True)
class StageMade:
    """A stage that is up to date: made now, or already before (`reused`).

    `version`: fingerprint of its inputs; `made_from`: that of the stage before.
    `files`: keys of the bucket that users may want to open.
    """

    stage: str
    reused: bool
    seconds: float
    numbers: Numbers
    checks: tuple[Checked, ...] = ()
    files: tuple[str, ...] = ()
    version: str = ""
    made_from: str = ""
    warnings: tuple[RecordingWarning, ...] = ()


@dataclass(frozen=True)
class Failed:
    """Where and why a recording failed. `is_ours`: the cause is this installation, not the file.

    needs_usd: the recording is deferred until this much may be spent.
    kills: how often the process that read the file was ended; its record is written already.
    """

    stage: str
    code: str
    message: str
    advice: str
    permanent: bool
    is_ours: bool = False
    needs_usd: Decimal | None = None
    kills: int = 0

    @property
    def is_deferred(self) -> bool:
        """The recording did not fail: it would have exceeded a budget limit."""
        return self.code == OVER_BUDGET


@dataclass
class RecordingOutcome:
    """The result of processing one recording in a run."""

    recording: Recording
    made: list[StageMade] = field(default_factory=list)
    failed: Failed | None = None

    @property
    def warnings(self) -> tuple[RecordingWarning, ...]:
        """The warnings of all its stages, without duplicates."""
        return once(warning for made in self.made for warning in made.warnings)

    @property
    def is_deferred(self) -> bool:
        """The recording waits for the budget; this is not a failure."""
        return self.failed is not None and self.failed.is_deferred


class Progress(Protocol):
    """Receives progress; called by several threads concurrently."""

    def working(self, recording: Recording, stage: str, done_ms: int, audio_ms: int | None) -> None:
        """A stage has processed `done_ms` of a recording's audio."""
        ...

    def finished(self, outcome: RecordingOutcome) -> None:
        """A recording has been processed."""
        ...

    def waiting(self, sentence: str) -> None:
        """Some jobs have waited for minutes; the sentence says how many, and for what."""
        ...


class LogProgress:
    """Logs one line per recording."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def working(self, recording: Recording, stage: str, done_ms: int, audio_ms: int | None) -> None:
        """Logs nothing: a line every second would hide the others."""

    def waiting(self, sentence: str) -> None:
        """Log it."""
        self._log.info("%s", sentence)

    def finished(self, outcome: RecordingOutcome) -> None:
        """Log what was made, or why the recording failed."""
        name = log_line(outcome.recording.name)
        if outcome.failed is not None and outcome.failed.is_deferred:
            self._log.info("%s is deferred: %s", name, log_line(outcome.failed.message))
        elif outcome.failed is None:
            reused = sum(made.reused for made in outcome.made)
            self._log.info("%s: %d stages done, %d of them reused", name, len(outcome.made), reused)
            for warning in outcome.warnings:
                self._log.warning("%s: %s", name, log_line(warning.message))
        else:
            failed = outcome.failed
            told = log_line(f"{failed.message} {failed.advice}")
            self._log.warning("%s failed in %s: %s", name, failed.stage, told)
