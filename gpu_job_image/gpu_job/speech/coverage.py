"""Speech of which the batched pipeline wrote nothing: it loses segments (faster-whisper#1179).

Plain Whisper goes on after the last time it wrote; batched, a window whose text ends early stays
empty from there on.
"""

from collections.abc import Iterable

from ..contract import SpeechRegion
from .doubts import Believed, Hearing
from .windows import Window, laid_out

LOST_MS = 3_000  # of speech without a word: longer than any breath within a region of speech
HEARD_MS = 1_000  # of it, by the detector


def lost(
    window: Window, believed: Believed, regions: Iterable[SpeechRegion], heard: Hearing
) -> list[Window]:
    """The stretches of a window that hold speech and no word, each as a window of its own.

    Both must have found speech there: the regions, and, where they say so, the detector. What was
    taken out because nobody speaks there is not lost; a loop stands in for what was said.
    """
    words = (word for each in believed.segments for word in each.words)
    silent = (gone for gone in believed.removals if gone.reason != "repetition")
    spoken = sorted((each.start_ms, each.end_ms) for each in (*words, *silent))
    gaps: list[tuple[int, int]] = []
    at = 0
    for start, end in [*spoken, (window.length_ms, window.length_ms)]:
        if start - at >= LOST_MS:
            gaps.append((at, start))
        at = max(at, end)
    if not gaps:
        return []
    inside = [region for region in regions if region.channel == window.channel]
    return [
        cut
        for low, high in gaps
        if _speech_ms(cut := _cut(window, low, high), inside) >= LOST_MS
        and heard(low, high) >= HEARD_MS
    ]


def _cut(window: Window, low: int, high: int) -> Window:
    spans = (
        (
            max(piece.at_ms, low) - piece.at_ms + piece.start_ms,
            min(piece.at_ms + piece.length_ms, high) - piece.at_ms + piece.start_ms,
        )
        for piece in window.pieces
    )
    return laid_out(window.channel, ((start, end) for start, end in spans if end > start))


def _speech_ms(window: Window, regions: Iterable[SpeechRegion]) -> int:
    return sum(
        max(0, min(piece.end_ms, region.end_ms) - max(piece.start_ms, region.start_ms))
        for region in regions
        for piece in window.pieces
    )
