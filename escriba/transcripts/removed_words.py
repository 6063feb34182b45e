"""Restores the words that the hallucination filter removed, without a model."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from gpu_job.contract import JobResult, JobWarning, Word
from gpu_job.contract.word_joins import text_of

from .diarized import DiarizedSegment, DiarizedTranscript, DiarizedWord, RemovedWords


def removed_words(result: JobResult) -> list[tuple[JobWarning, tuple[Word, ...]]]:
    """Each warning about removed words, with these words.

    Earlier workers kept only the text: its words are spread evenly over the time of the warning.
    """
    return [
        (warning, warning.words or _spread(warning)) for warning in result.warnings if warning.text
    ]


def restored(transcript: DiarizedTranscript) -> DiarizedTranscript:
    """The transcript with the words of `removed` back in its segments, and `removed` empty.

    Words that were removed from a segment return to it; others become new segments.
    """
    segments = [list(segment.words) for segment in transcript.segments]
    separate: list[list[DiarizedWord]] = []
    for removed in transcript.removed:
        places = enumerate(transcript.segments)
        home = next((i for i, segment in places if _was_in(segment, removed)), None)
        if home is None:
            separate.append(list(removed.words))
        else:
            segments[home].extend(removed.words)
    whole = [segment for words in (*segments, *separate) for segment in _segments(words)]
    return transcript.model_copy(
        update={
            "segments": tuple(sorted(whole, key=lambda part: (part.start_ms, part.end_ms))),
            "removed": (),
        }
    )


def _was_in(segment: DiarizedSegment, removed: RemovedWords) -> bool:
    """Whether the words fit into the segment by time, and no other channel speaks between them."""
    is_there = segment.start_ms <= (removed.start_ms + removed.end_ms) // 2 < segment.end_ms
    if not is_there or not removed.words:
        return False
    first, last = removed.words[0], removed.words[-1]
    return not any(
        first.start_ms < word.start_ms < last.start_ms and word.speaker != first.speaker
        for word in segment.words
    )


def _segments(words: Sequence[DiarizedWord]) -> Iterator[DiarizedSegment]:
    """Segments in time order, one per run of words of one speaker."""
    in_time = sorted(words, key=lambda word: (word.start_ms, word.end_ms))
    for speaker, run in groupby(in_time, lambda word: word.speaker):
        own = tuple(run)
        yield DiarizedSegment(
            start_ms=own[0].start_ms,
            end_ms=max(word.end_ms for word in own),
            speaker=speaker,
            text=text_of(own),
            words=own,
        )


def _spread(warning: JobWarning) -> tuple[Word, ...]:
    texts = warning.text.split()
    length_ms = warning.end_ms - warning.start_ms
    edges = [warning.start_ms + length_ms * i // len(texts) for i in range(len(texts) + 1)]
    return tuple(
        Word(start_ms=edges[i], end_ms=edges[i + 1], text=text, probability=0.0)
        for i, text in enumerate(texts)
    )
