"""Checks of finished transcripts, each as a count of violations."""

from collections.abc import Sequence
from itertools import chain, pairwise

from .diarized import DiarizedSegment, DiarizedTranscript, DiarizedWord
from .speakers import SPEAKER_UNKNOWN


def words_without_speaker(transcript: DiarizedTranscript) -> int:
    """Number of words that are too far from any turn."""
    words = chain.from_iterable(segment.words for segment in transcript.segments)
    return sum(word.speaker == SPEAKER_UNKNOWN for word in words)


def misplaced_times(transcript: DiarizedTranscript) -> int:
    """Number of segments outside the recording, words outside their segment, or out of order.

    Out of order means that it ends before it begins, or begins before its predecessor. Segments may
    overlap, since several people can speak at the same time.
    """
    wrong = _misplaced(_spans(transcript.segments), 0, transcript.audio_ms)
    return wrong + sum(
        _misplaced(_spans(segment.words), segment.start_ms, segment.end_ms)
        for segment in transcript.segments
    )


def _spans(parts: Sequence[DiarizedSegment | DiarizedWord]) -> list[tuple[int, int]]:
    return [(part.start_ms, part.end_ms) for part in parts]


def _misplaced(spans: Sequence[tuple[int, int]], low_ms: int, high_ms: int) -> int:
    outside = sum(not low_ms <= start <= end <= high_ms for start, end in spans)
    return outside + sum(new < old for (old, _), (new, _) in pairwise(spans))
