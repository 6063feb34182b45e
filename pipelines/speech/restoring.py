"""What the worker took out of a transcript is put back: on any computer, without a model."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from gpu_job.contract import JobResult, JobWarning, Word
from gpu_job.contract.joins import text_of
from pipelines.speech.diarized import (
    DiarizedSegment,
    DiarizedTranscript,
    DiarizedWord,
    RemovedWords,
)


def removed_words(result: JobResult) -> list[tuple[JobWarning, tuple[Word, ...]]]:
    """Each warning that tells of words taken out, with these words.

    Earlier workers kept only their text: such words are spread evenly over its time.
    """
    return [
        (warning, warning.words or _spread(warning)) for warning in result.warnings if warning.text
    ]


def restored(transcript: DiarizedTranscript) -> DiarizedTranscript:
    """The transcript with all of `removed` among its segments again, and `removed` empty.

    Words that were cut out of a segment stand in it again; others are segments of their own.
    """
    segments = [list(segment.words) for segment in transcript.segments]
    apart: list[list[DiarizedWord]] = []
    for gone in transcript.removed:
        places = enumerate(transcript.segments)
        home = next((i for i, segment in places if _was_in(segment, gone)), None)
        (apart.append(list(gone.words)) if home is None else segments[home].extend(gone.words))
    whole = [segment for words in (*segments, *apart) for segment in _segments(words)]
    return transcript.model_copy(
        update={
            "segments": tuple(sorted(whole, key=lambda part: (part.start_ms, part.end_ms))),
            "removed": (),
        }
    )


def _was_in(segment: DiarizedSegment, gone: RemovedWords) -> bool:
    """By its time; not where another channel speaks between its words."""
    is_there = segment.start_ms <= (gone.start_ms + gone.end_ms) // 2 < segment.end_ms
    if not is_there or not gone.words:
        return False
    first, last = gone.words[0], gone.words[-1]
    return not any(
        first.start_ms < word.start_ms < last.start_ms and word.speaker != first.speaker
        for word in segment.words
    )


def _segments(words: Sequence[DiarizedWord]) -> Iterator[DiarizedSegment]:
    """In time order, one for each run of words of one speaker."""
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
