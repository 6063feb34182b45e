"""Which of the model's words nobody said: pure rules over what it wrote and how sure it was.

faster-whisper's own threshold for hallucinations on silence does nothing in its batched pipeline.
Large models write fluent text over silence (44 % of silent clips with `turbo` in one published
benchmark), small ones over tones; neither doubts it much. So what they are unsure of, or what is
known to be written over silence, is held against a speech detector's own hearing.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .boilerplate import is_boilerplate
from .loops import bare, looped
from .raw import RawSegment

NO_SPEECH = 0.6  # with UNSURE: Whisper's own rule for silence (its transcribe.py)
UNSURE = -1.0
DOUBTFUL_LOGPROB = -0.4  # clean speech is at -0.1 to -0.37, text over tones mostly below -0.6
DOUBTFUL_NO_SPEECH = 0.3
DOUBTFUL_WORDS = 0.6  # mean probability of the words
DOUBTFUL_WORD = 0.3  # of one
LONG_WORD_MS = 2_000  # nobody drawls so: the model had nothing to hold on to
COMPRESSION = 2.4  # Whisper's own threshold
LEAST_HEARD_MS = 100  # of speech, by the detector: less is a click
NEAR_SILENCE = 0.3  # share of a segment in which the detector hears speech
UNHEARD_MS = 1_000  # words without speech for so long go, though their segment stays

Reason = Literal["no_words", "repetition", "no_speech", "boilerplate"]

# milliseconds of speech between two times of the window, by the detector
Hearing = Callable[[int, int], int]


@dataclass(frozen=True)
class Removal:
    """Words that were taken out, and why."""

    start_ms: int
    end_ms: int
    text: str
    reason: Reason


@dataclass(frozen=True)
class Believed:
    """What is left of a window, and what was taken out of it."""

    segments: tuple[RawSegment, ...]
    removals: tuple[Removal, ...]


def believe(segments: Sequence[RawSegment], language: str, heard: Hearing) -> Believed:
    """The segments of one window, in order, without what nobody said.

    `heard` is asked only where something is in doubt: it costs 30 ms of a CPU for each window.
    Where one segment is, all of its window are.
    """
    unlooped, removals = _without_loops(segments)
    doubted = any(is_doubtful(segment) for segment in segments)
    kept: list[RawSegment] = []
    for segment in unlooped:
        reason = _reason(segment, language, heard)
        if reason is not None:
            removals.append(_removal(segment, reason))
        elif not doubted:
            kept.append(segment)
        else:
            said, unheard = _heard_parts(segment, heard)
            kept.extend(said)
            removals.extend(_removal(part, "no_speech") for part in unheard)
    return Believed(tuple(kept), tuple(sorted(removals, key=lambda removal: removal.start_ms)))


def is_doubtful(segment: RawSegment) -> bool:
    """Whether the model was unsure of it, or wrote what compresses too well or took too long."""
    chances = [word.probability for word in segment.words]
    return (
        segment.logprob < DOUBTFUL_LOGPROB
        or segment.no_speech > DOUBTFUL_NO_SPEECH
        or segment.compression > COMPRESSION
        or sum(chances) / len(chances) < DOUBTFUL_WORDS
        or min(chances) < DOUBTFUL_WORD
        or any(word.end_ms - word.start_ms > LONG_WORD_MS for word in segment.words)
    )


def _reason(segment: RawSegment, language: str, heard: Hearing) -> Reason | None:
    """Why the whole segment goes, by what it says."""
    if not any(bare(word.text) for word in segment.words):
        return "no_words"
    if segment.no_speech > NO_SPEECH and segment.logprob < UNSURE:
        return "no_speech"
    if not is_boilerplate(segment.text, language):
        return None
    speech_ms = heard(segment.start_ms, segment.end_ms)
    length_ms = segment.end_ms - segment.start_ms
    return "boilerplate" if speech_ms < max(LEAST_HEARD_MS, NEAR_SILENCE * length_ms) else None


def _heard_parts(segment: RawSegment, heard: Hearing) -> tuple[list[RawSegment], list[RawSegment]]:
    """What the detector hears of it too, and what not: text over a noise may lead into speech.

    A word that alone is not heard stays with its neighbours: detectors miss quiet ones.
    """
    runs = [
        (is_heard, dataclasses.replace(segment, words=tuple(run)))
        for is_heard, run in itertools.groupby(
            segment.words, lambda word: heard(word.start_ms, word.end_ms) >= LEAST_HEARD_MS
        )
    ]
    said: list[RawSegment] = []
    unheard: list[RawSegment] = []
    joins = False
    for is_heard, run in runs:
        goes = not is_heard and (len(runs) == 1 or run.end_ms - run.start_ms >= UNHEARD_MS)
        if goes:
            unheard.append(run)
        elif joins:
            said[-1] = dataclasses.replace(run, words=said[-1].words + run.words)
        else:
            said.append(run)
        joins = not goes
    return said, unheard


def _without_loops(segments: Sequence[RawSegment]) -> tuple[list[RawSegment], list[Removal]]:
    """Loops may go on over the borders of segments: "Thank you." ten times is ten segments."""
    gone = looped([word.text for segment in segments for word in segment.words])
    kept: list[RawSegment] = []
    removals: list[Removal] = []
    first = 0
    for segment in segments:
        places = range(first, first + len(segment.words))
        first += len(segment.words)
        if gone.isdisjoint(places):
            kept.append(segment)
            continue
        kept.extend(_part(segment, [place not in gone for place in places]))
        looping = tuple(_part(segment, [place in gone for place in places]))
        removals.extend(_removal(part, "repetition") for part in looping)
    return kept, removals


def _part(segment: RawSegment, chosen: list[bool]) -> Iterator[RawSegment]:
    words = tuple(word for word, is_in in zip(segment.words, chosen, strict=True) if is_in)
    if words:
        yield dataclasses.replace(segment, words=words, compression=1.0)


def _removal(segment: RawSegment, reason: Reason) -> Removal:
    return Removal(segment.start_ms, segment.end_ms, segment.text, reason)
