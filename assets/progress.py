"""Who is told how far the work is: a terminal's bars, or the log."""

import logging
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from pipelines.recordings import Recording
from pipelines.speech.recording_warnings import RecordingWarning, once
from resources.failures import OVER_BUDGET

Numbers = dict[str, float | int | str | bool | None]


@dataclass(frozen=True)
class Checked:
    """Whether a proposition of `names.CHECKS` holds for a recording, and what speaks against it."""

    name: str
    passed: bool
    numbers: Numbers = field(default_factory=dict)


@dataclass(frozen=True)
class StageMade:
    """A stage that stands: made now, or found standing (`reused`).

    `version` is the fingerprint of what it was made from, `made_from` that of the stage before.
    `files` are keys of the bucket that people may want to open.
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
    """Where and why a recording failed. `is_ours`: not the file's fault at all.

    needs_usd: nothing failed, it waits until so much may be spent.
    """

    stage: str
    code: str
    message: str
    advice: str
    permanent: bool
    is_ours: bool = False
    needs_usd: Decimal | None = None

    @property
    def is_deferred(self) -> bool:
        """Nothing is wrong: a limit on money would have been passed."""
        return self.code == OVER_BUDGET


@dataclass
class Outcome:
    """How a recording's way through a run ended."""

    recording: Recording
    made: list[StageMade] = field(default_factory=list)
    failed: Failed | None = None

    @property
    def warnings(self) -> tuple[RecordingWarning, ...]:
        """Those of all its stages, each once."""
        return once(warning for made in self.made for warning in made.warnings)

    @property
    def is_deferred(self) -> bool:
        """It waits for money; that is no failure."""
        return self.failed is not None and self.failed.is_deferred


class Progress(Protocol):
    """Told by several threads at once."""

    def working(self, recording: Recording, stage: str, done_ms: int, audio_ms: int | None) -> None:
        """Some of a recording's audio has been worked through."""
        ...

    def finished(self, outcome: Outcome) -> None:
        """A recording's way is over."""
        ...


class LogProgress:
    """One line for each recording."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def working(self, recording: Recording, stage: str, done_ms: int, audio_ms: int | None) -> None:
        """Nothing: a log of every second helps nobody."""

    def finished(self, outcome: Outcome) -> None:
        """What was made, or why it failed."""
        name = outcome.recording.name
        if outcome.failed is not None and outcome.failed.is_deferred:
            self._log.info("%s is deferred: %s", name, outcome.failed.message)
        elif outcome.failed is None:
            reused = sum(made.reused for made in outcome.made)
            self._log.info("%s: %d stages, %d of them reused", name, len(outcome.made), reused)
            for warning in outcome.warnings:
                self._log.warning("%s: %s", name, warning.message)
        else:
            failed = outcome.failed
            self._log.warning(
                "%s failed at %s: %s %s", name, failed.stage, failed.message, failed.advice
            )
