"""What is taken out of a window, why, and what can be asked about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ..contract import Evidence
from .raw import RawSegment, RawWord

Reason = Literal["no_words", "repetition", "no_speech", "boilerplate", "no_language"]


class Hearing(Protocol):
    """What else is known of a window's sound; all is found when it is first asked for."""

    def __call__(self, start_ms: int, end_ms: int) -> int:
        """Milliseconds of speech between two times, by the detector."""

    @property
    def range_db(self) -> float:
        """From the floor of the window to its loud tenth."""

    def above_floor_db(self, start_ms: int, end_ms: int) -> float:
        """How far the loud tenth between two times rises above the floor."""

    def bursts(self, start_ms: int, end_ms: int) -> Sequence[int]:
        """The loud moments between two times, each a syllable at most."""

    def alike(self, spans: Sequence[tuple[int, int]]) -> float:
        """How much each of the stretches is like the one before, up to 1."""


class SecondOpinion(Protocol):
    """What the model says when it is asked again, about one window."""

    @property
    def translates(self) -> bool:
        """Whether the words are English of another language, which a model chooses less surely."""

    @property
    def language_is_told(self) -> bool:
        """Whether somebody says which language is spoken; else the model chose it."""

    def sound_adds(self, segments: Sequence[RawSegment]) -> Sequence[float]:
        """For each segment, how much likelier its words are for having been heard (nats a word)."""

    def language_certainty(self) -> float:
        """The probability of the likeliest of all languages."""


@dataclass(frozen=True)
class Removal:
    """Words that were taken out, and why."""

    words: tuple[RawWord, ...]
    text: str
    reason: Reason
    evidence: Evidence

    @property
    def start_ms(self) -> int:
        """Of its first word."""
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        """Of its last word to end."""
        return max(word.end_ms for word in self.words)


@dataclass(frozen=True)
class Believed:
    """What is left of a window, and what was taken out of it."""

    segments: tuple[RawSegment, ...]
    removals: tuple[Removal, ...]


def measured(segment: RawSegment, heard: Hearing) -> Evidence:
    """Of its sound and its scores; what the model is asked again is not among it."""
    return Evidence(
        speech_ms=heard(segment.start_ms, segment.end_ms),
        above_floor_db=round(heard.above_floor_db(segment.start_ms, segment.end_ms), 1),
        logprob=round(segment.logprob, 2),
        no_speech=round(segment.no_speech, 2),
    )
