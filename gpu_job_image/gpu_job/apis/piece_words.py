"""The words of one answer, with times of their piece, and those that nobody said."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..common.audio import SAMPLES_PER_MS, Samples
from ..contract import Evidence, WordTimes
from ..contract.word_joins import text_of
from ..transcribe.raw_segments import RawSegment, RawWord, joins_of
from ..transcribe.removed_words import FilteredWindow, Removal
from ..transcribe.word_times import in_order, without_pause
from .aligner import UNKNOWN_PROBABILITY, Aligner
from .answers import ApiAnswer, TimedText
from .marked_words import marked
from .speech_spans import Spans, overlap_ms, within

AROUND_MS = 200  # word times are no more precise than that
NO_SPEECH, LOGPROB = 0.6, -1.0  # openai-whisper's own rule for a segment of silence


@dataclass(frozen=True)
class PieceWords:
    """What is left of an answer, what was removed, and where the times come from."""

    filtered: FilteredWindow
    word_times: WordTimes


def words_of_answer(
    answer: ApiAnswer, sound: Samples, speech: Spans, language: str, aligner: Aligner
) -> PieceWords:
    """The words of an answer to a piece with that sound (int16, one channel) and speech."""
    length_ms = len(sound) // SAMPLES_PER_MS
    if answer.words:
        words = _timed(answer, speech, length_ms)
        return PieceWords(_heard(_by_segment(words, answer.segments), speech), "")
    if not answer.text:
        return PieceWords(FilteredWindow((), ()), "")
    found, made = list[RawSegment](), set[WordTimes]()
    for part in answer.segments or (TimedText(answer.text, 0, length_ms),):
        start_ms, end_ms = min(part.start_ms, length_ms), min(part.end_ms, length_ms)
        inside = within(speech, start_ms, end_ms) or [(start_ms, end_ms)]
        local = [(low - start_ms, high - start_ms) for low, high in inside]
        cut = sound[start_ms * SAMPLES_PER_MS : end_ms * SAMPLES_PER_MS]
        aligned = aligner.align(cut, part.text.strip(), language, local)
        if aligned.words:
            made.add(aligned.by)
            words = tuple(_moved(word, start_ms) for word in aligned.words)
            found.append(RawSegment(words, part.logprob, part.no_speech))
    times: WordTimes = "estimated" if "estimated" in made else max(made, default="")
    return PieceWords(_heard(_whole(found, length_ms), speech), times)


def _whole(segments: Sequence[RawSegment], length_ms: int) -> list[RawSegment]:
    """The segments with all of their words in order, whatever the times of the segments were."""
    rest = iter(in_order([word for each in segments for word in each.words], length_ms))
    return [
        RawSegment(tuple(next(rest) for _ in each.words), each.logprob, each.no_speech)
        for each in segments
    ]


def _moved(word: RawWord, by_ms: int) -> RawWord:
    return RawWord(
        word.start_ms + by_ms, word.end_ms + by_ms, word.text, word.probability, word.joins
    )


def _timed(answer: ApiAnswer, speech: Spans, length_ms: int) -> list[RawWord]:
    """The listed words with the marks of the text, corrected as a Whisper's own are."""
    listed = [word.text for word in answer.words]
    has_blanks = any(text[:1].isspace() or text[-1:].isspace() for text in listed)
    words = list(answer.words) if has_blanks else marked(answer.text, answer.words)
    texts = [word.text for word in words]
    if not any(text[:1].isspace() or text[-1:].isspace() for text in texts) and _has_blanks(answer):
        texts = [f" {text}" for text in texts]
    raw = [
        without_pause(
            RawWord(
                min(word.start_ms, length_ms),
                min(word.end_ms, length_ms),
                text.strip(),
                UNKNOWN_PROBABILITY,
                joins,
            ),
            lambda low, high: within(speech, low, high),
        )
        for word, text, joins in zip(words, texts, joins_of(texts), strict=True)
    ]
    return in_order(raw, length_ms)


def _has_blanks(answer: ApiAnswer) -> bool:
    """Whether the language separates words by blanks, so that listed words do not join."""
    return len(answer.text.split()) > len(answer.words) // 2


def _by_segment(words: Sequence[RawWord], segments: Sequence[TimedText]) -> list[RawSegment]:
    """The words in their segments: each in the last one that begins before its middle."""
    if not segments:
        return [RawSegment(tuple(words))] if words else []
    groups: list[list[RawWord]] = [[] for _ in segments]
    for word in words:
        middle = (word.start_ms + word.end_ms) // 2
        at = max((i for i, one in enumerate(segments) if one.start_ms <= middle), default=0)
        groups[at].append(word)
    return [
        RawSegment(tuple(_sure(word, one) for word in group), one.logprob, one.no_speech)
        for group, one in zip(groups, segments, strict=True)
        if group
    ]


def _sure(word: RawWord, segment: TimedText) -> RawWord:
    if not segment.logprob:
        return word
    sure = round(min(1.0, math.exp(segment.logprob)), 4)
    return RawWord(word.start_ms, word.end_ms, word.text, sure, word.joins)


def _heard(segments: Sequence[RawSegment], speech: Spans) -> FilteredWindow:
    """Without the words where nobody speaks, which a result keeps as removed."""
    kept, removals = [], []
    for segment in segments:
        if segment.no_speech > NO_SPEECH and segment.logprob < LOGPROB:
            removals.append(_removal(segment.words, segment))
            continue
        inside = [word for word in segment.words if _is_speech(word, speech)]
        removals += [_removal(run, segment) for run in _outside(segment.words, speech)]
        if inside:
            kept.append(RawSegment(tuple(inside), segment.logprob, segment.no_speech))
    return FilteredWindow(tuple(kept), tuple(removals))


def _is_speech(word: RawWord, speech: Spans) -> bool:
    return overlap_ms(speech, word.start_ms - AROUND_MS, word.end_ms + AROUND_MS) > 0


def _outside(words: Sequence[RawWord], speech: Spans) -> Iterator[tuple[RawWord, ...]]:
    """The runs of words outside the speech."""
    run: list[RawWord] = []
    for word in words:
        if not _is_speech(word, speech):
            run.append(word)
        elif run:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)


def _removal(words: Sequence[RawWord], segment: RawSegment) -> Removal:
    evidence = Evidence(
        speech_ms=0, logprob=round(segment.logprob, 2), no_speech=round(segment.no_speech, 2)
    )
    return Removal(tuple(words), text_of(words), "no_speech", evidence)
