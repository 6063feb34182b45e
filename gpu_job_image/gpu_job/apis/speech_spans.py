"""Where in a piece somebody speaks, from the speech regions of the recording."""

from collections.abc import Iterable, Sequence

from ..contract import SpeechRegion
from ..transcribe.windows import Window

Spans = Sequence[tuple[int, int]]  # (start, end) in ms of a piece, in order


def speech_in(window: Window, regions: Iterable[SpeechRegion]) -> list[tuple[int, int]]:
    """The regions of the window's channel as spans of the window."""
    own = [region for region in regions if region.channel == window.channel]
    spans = []
    for piece in window.pieces:
        shift = piece.at_ms - piece.start_ms
        for region in own:
            low, high = max(region.start_ms, piece.start_ms), min(region.end_ms, piece.end_ms)
            if low < high:
                spans.append((low + shift, high + shift))
    return joined(spans)


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order; those that touch are one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def within(spans: Spans, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The parts of the spans between two times."""
    parts = ((max(low, start_ms), min(high, end_ms)) for low, high in spans)
    return [(low, high) for low, high in parts if low < high]


def overlap_ms(spans: Spans, start_ms: int, end_ms: int) -> int:
    """How much of the time between two times the spans cover."""
    return sum(high - low for low, high in within(spans, start_ms, end_ms))
