"""Words removed from a window, the reasons, and the sources of evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ..contract import Evidence
from .raw_segments import RawSegment, RawWord

Reason = Literal["no_words", "repetition", "no_speech", "boilerplate", "no_language"]


class WindowSound(Protocol):
    """Measurements of a window's audio, computed on first use."""

    def __call__(self, start_ms: int, end_ms: int) -> int:
        """Milliseconds of detected speech between two times."""

    @property
    def range_db(self) -> float:
        """Level difference of the window's loudest tenth and its noise floor, in dB."""

    def above_floor_db(self, start_ms: int, end_ms: int) -> float:
        """Level of the loudest tenth between two times above the noise floor, in dB."""

    def bursts(self, start_ms: int, end_ms: int) -> Sequence[int]:
        """Times of the level peaks between two times, each at most a syllable."""

    def alike(self, spans: Sequence[tuple[int, int]]) -> float:
        """Median similarity of each span to the previous one, up to 1."""


class SecondOpinion(Protocol):
    """Answers of the model about one window; each needs another run."""

    @property
    def translates(self) -> bool:
        """Whether the words are a translation, which a model writes with less certainty."""

    @property
    def language_is_given(self) -> bool:
        """Whether the job names the language; otherwise the model detected it."""

    def sound_adds(self, segments: Sequence[RawSegment]) -> Sequence[float]:
        """For each segment, how much the sound raises its log probability (nats per word)."""

    def language_certainty(self) -> float:
        """The probability of the most likely language."""

    def language_certainty_backwards(self) -> float:
        """The same for the time-reversed audio."""


@dataclass(frozen=True)
class Removal:
    """Removed words, and why."""

    words: tuple[RawWord, ...]
    text: str
    reason: Reason
    evidence: Evidence

    @property
    def start_ms(self) -> int:
        """Start of the first word."""
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        """End of the word that ends last."""
        return max(word.end_ms for word in self.words)


@dataclass(frozen=True)
class FilteredWindow:
    """The remaining segments of a window, and what was removed from it."""

    segments: tuple[RawSegment, ...]
    removals: tuple[Removal, ...]


def measured(segment: RawSegment, sound: WindowSound) -> Evidence:
    """The evidence of a segment's sound and scores, without another run of the model."""
    return Evidence(
        speech_ms=sound(segment.start_ms, segment.end_ms),
        above_floor_db=round(sound.above_floor_db(segment.start_ms, segment.end_ms), 1),
        logprob=round(segment.logprob, 2),
        no_speech=round(segment.no_speech, 2),
    )
