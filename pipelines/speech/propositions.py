"""What should hold of every finished transcript, each as a count of where it does not."""

from collections.abc import Sequence
from itertools import chain, pairwise

from pipelines.speech.diarized import DiarizedSegment, DiarizedTranscript, DiarizedWord
from pipelines.speech.speakers import SPEAKER_UNKNOWN


def words_without_speaker(transcript: DiarizedTranscript) -> int:
    """Words that no turn was near enough to claim."""
    words = chain.from_iterable(segment.words for segment in transcript.segments)
    return sum(word.speaker == SPEAKER_UNKNOWN for word in words)


def misplaced_times(transcript: DiarizedTranscript) -> int:
    """Segments outside of the recording, words outside of their segment, and what is out of order.

    Out of order is what ends before it begins, or begins before the one that it follows. Segments
    may overlap: people speak at once.
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
