"""Finds speech without words.

A Whisper that writes timestamps may skip a clause or end its text early. Sequential Whisper
continues after its last timestamp; in a batch, whatever a window's text skips is lost. So spans
where the speech detector finds speech and no word exists are decoded again (`fill_gaps.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..contract import SpeechRegion
from .raw_segments import RawWord
from .removed_words import WindowSound
from .repetition_loops import bare
from .windows import Window, laid_out

LOST_MS = 700  # of speech without a word: two short words; breaths and time errors are shorter
HEARD_MS = 500  # of it confirmed by the detector
CONTEXT_MS = 2_500  # decoded again on both sides: half a sentence, to align the words
WORD_MS = 500  # the longest duration of a word, plus
LETTER_MS = 100  # per letter: a longer word was stretched over something


@dataclass(frozen=True, slots=True)
class SpeechGap:
    """A span of a window (ms) with speech but no word, and the span to decode again."""

    low_ms: int
    high_ms: int
    from_ms: int
    to_ms: int


def gaps(
    window: Window,
    words: Iterable[RawWord],
    covered: Iterable[tuple[int, int]],
    regions: Iterable[SpeechRegion],
    vad: WindowSound,
) -> list[SpeechGap]:
    """Spans of a window with speech that its words do not cover.

    Both the regions and the detector must find speech there.

    Args:
        window: The window.
        words: Its words, in window time.
        covered: Other spans where nothing is missing: words were removed there because nobody
            speaks.
        regions: Where the recording contains speech.
        vad: Milliseconds of speech between two times of the window.
    """
    times = [span for word in words for span in word_spans(word)]
    inside = [region for region in regions if region.channel == window.channel]
    found: list[SpeechGap] = []
    at = 0
    for start, end in [*sorted([*times, *covered]), (window.length_ms, window.length_ms)]:
        if start - at >= LOST_MS and _holds_speech(window, at, start, inside, vad):
            found.append(_around(window, at, start))
        at = max(at, end)
    return found


def part_of(window: Window, low_ms: int, high_ms: int) -> Window:
    """The span between two times of a window, as a window of its own."""
    spans = (
        (
            max(piece.at_ms, low_ms) - piece.at_ms + piece.start_ms,
            min(piece.at_ms + piece.length_ms, high_ms) - piece.at_ms + piece.start_ms,
        )
        for piece in window.pieces
    )
    return laid_out(window.channel, ((start, end) for start, end in spans if end > start))


def word_spans(word: RawWord) -> Iterable[tuple[int, int]]:
    """The span of a word; both ends of a stretched word, since it may be at either."""
    longest = WORD_MS + LETTER_MS * len(bare(word.text))
    if word.end_ms - word.start_ms <= longest:
        return [(word.start_ms, word.end_ms)]
    half = longest // 2
    return [(word.start_ms, word.start_ms + half), (word.end_ms - half, word.end_ms)]


def _holds_speech(
    window: Window, low: int, high: int, regions: Sequence[SpeechRegion], vad: WindowSound
) -> bool:
    span = part_of(window, low, high)
    return _speech_ms(span, regions) >= LOST_MS and vad(low, high) >= HEARD_MS


def _around(window: Window, low: int, high: int) -> SpeechGap:
    return SpeechGap(low, high, max(0, low - CONTEXT_MS), min(window.length_ms, high + CONTEXT_MS))


def _speech_ms(window: Window, regions: Iterable[SpeechRegion]) -> int:
    return sum(
        max(0, min(piece.end_ms, region.end_ms) - max(piece.start_ms, region.start_ms))
        for region in regions
        for piece in window.pieces
    )
