"""Scores of decoded segments: which ones the model was unsure of."""

from collections.abc import Sequence

from .raw_segments import RawSegment
from .repetition_loops import bare

DOUBTFUL_LOGPROB = -0.4  # clean speech has -0.1 to -0.37, text over tones mostly below -0.6
DOUBTFUL_NO_SPEECH = 0.3
DOUBTFUL_WORDS = 0.6  # mean probability of the words
DOUBTFUL_WORD = 0.3  # of one
LONG_WORD_MS = 2_000  # no word takes so long: the model had nothing to align it to
COMPRESSION = 2.4  # Whisper's own threshold


def is_doubtful(segment: RawSegment) -> bool:
    """Whether a segment has low scores, compresses too well, or has a word that is too long."""
    chances = [word.probability for word in segment.words]
    return (
        segment.logprob < DOUBTFUL_LOGPROB
        or segment.no_speech > DOUBTFUL_NO_SPEECH
        or segment.compression > COMPRESSION
        or mean(chances) < DOUBTFUL_WORDS
        or min(chances) < DOUBTFUL_WORD
        or any(word.end_ms - word.start_ms > LONG_WORD_MS for word in segment.words)
    )


def word_probabilities(segments: Sequence[RawSegment]) -> list[float]:
    """Probabilities of the distinct words, at their first occurrence: loops gain certainty."""
    chances: dict[str, float] = {}
    for segment in segments:
        for word in segment.words:
            chances.setdefault(bare(word.text), word.probability)
    return list(chances.values())


def mean(values: Sequence[float]) -> float:
    """The mean; 1 for no values."""
    return sum(values) / len(values) if values else 1.0
