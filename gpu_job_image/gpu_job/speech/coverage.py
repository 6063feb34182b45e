"""Speech of which the model wrote nothing.

A Whisper that writes times may leap over a clause, or end its text early. Plain Whisper goes on
after the last time it wrote; in a batch, what a window's text leaves out is gone. So wherever the
speech detector hears somebody and no word stands, the stretch is heard again (`mending.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..contract import SpeechRegion
from .loops import bare
from .raw import RawWord
from .removals import Hearing
from .windows import Window, laid_out

LOST_MS = 700  # of speech without a word: two short words; breaths and word times are below it
HEARD_MS = 500  # of it, by the detector
CONTEXT_MS = 2_500  # heard again on both sides: half a sentence, by which its place is known
WORD_MS = 500  # the longest that a word takes, and
LETTER_MS = 100  # for each of its letters: what is longer was stretched over something


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a window (ms) with speech and no word, and what is heard again around it."""

    low_ms: int
    high_ms: int
    from_ms: int
    to_ms: int


def gaps(
    window: Window,
    words: Iterable[RawWord],
    spoken: Iterable[tuple[int, int]],
    regions: Iterable[SpeechRegion],
    heard: Hearing,
) -> list[Gap]:
    """Where something was said in a window that is not among its words.

    Both must have found speech there: the regions, and, where they say so, the detector.

    Args:
        window: Which.
        words: What was written, in its time.
        spoken: Further stretches of it in which nothing is missing: what was taken out there was
            written where nobody speaks.
        regions: Where the recording holds speech.
        heard: Milliseconds of speech between two times of the window.
    """
    times = [span for word in words for span in taken(word)]
    inside = [region for region in regions if region.channel == window.channel]
    found: list[Gap] = []
    at = 0
    for start, end in [*sorted([*times, *spoken]), (window.length_ms, window.length_ms)]:
        if start - at >= LOST_MS and _holds_speech(window, at, start, inside, heard):
            found.append(_around(window, at, start))
        at = max(at, end)
    return found


def part_of(window: Window, low_ms: int, high_ms: int) -> Window:
    """The stretch between two of its times, as a window of its own."""
    spans = (
        (
            max(piece.at_ms, low_ms) - piece.at_ms + piece.start_ms,
            min(piece.at_ms + piece.length_ms, high_ms) - piece.at_ms + piece.start_ms,
        )
        for piece in window.pieces
    )
    return laid_out(window.channel, ((start, end) for start, end in spans if end > start))


def taken(word: RawWord) -> Iterable[tuple[int, int]]:
    """The time of a word; of one that was stretched, the two ends, since it may be either."""
    longest = WORD_MS + LETTER_MS * len(bare(word.text))
    if word.end_ms - word.start_ms <= longest:
        return [(word.start_ms, word.end_ms)]
    half = longest // 2
    return [(word.start_ms, word.start_ms + half), (word.end_ms - half, word.end_ms)]


def _holds_speech(
    window: Window, low: int, high: int, regions: Sequence[SpeechRegion], heard: Hearing
) -> bool:
    stretch = part_of(window, low, high)
    return _speech_ms(stretch, regions) >= LOST_MS and heard(low, high) >= HEARD_MS


def _around(window: Window, low: int, high: int) -> Gap:
    return Gap(low, high, max(0, low - CONTEXT_MS), min(window.length_ms, high + CONTEXT_MS))


def _speech_ms(window: Window, regions: Iterable[SpeechRegion]) -> int:
    return sum(
        max(0, min(piece.end_ms, region.end_ms) - max(piece.start_ms, region.start_ms))
        for region in regions
        for piece in window.pieces
    )
