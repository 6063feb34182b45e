"""Packs speech regions into windows of at most 30 s, with a map back to recording time.

Whisper pads every window to 30 s, so a window always costs the same: in a simulated hearing of 8 h,
3,700 regions become 894 windows (the ideal is 650).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..contract import SpeechRegion
from .quietest_point import Quietest

WINDOW_MS = 30_000  # Whisper's input length
SEARCH_MS = 6_000  # before the end of a full window: any speech has a pause there
CARRIED_MS = 12_000  # at most, moved to the next window for a pause between sentences
LONG_PAUSE_MS = 1_500  # longer pauses are no better ends of a sentence
PAUSE_A_MS = 0.08  # longer pause that is worth a millisecond less in the window
EDGE_MS = 350  # of pause kept at the ends of a window
GAP_MS = 700  # longer pauses are cut to this, half on each side; 1 s needs 4 % more windows


@dataclass(frozen=True, slots=True)
class Piece:
    """A span of the recording, and its position in the window."""

    start_ms: int
    end_ms: int
    at_ms: int

    @property
    def length_ms(self) -> int:
        """Its length in the window."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of one channel, concatenated."""

    channel: int
    pieces: tuple[Piece, ...]

    @property
    def length_ms(self) -> int:
        """At most WINDOW_MS, or the length that `pack` was given."""
        return self.pieces[-1].at_ms + self.pieces[-1].length_ms

    def recording_span(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The span in recording time, clipped to the piece that contains its middle."""
        starts = [piece.at_ms for piece in self.pieces]
        piece = self.pieces[max(0, bisect_right(starts, (start_ms + end_ms) // 2) - 1)]
        shift = piece.start_ms - piece.at_ms
        low = min(max(start_ms + shift, piece.start_ms), piece.end_ms)
        return low, min(max(end_ms + shift, low), piece.end_ms)


def pack(
    regions: Iterable[SpeechRegion],
    audio_ms: int,
    quietest: Quietest | None = None,
    most_ms: int = WINDOW_MS,
) -> list[Window]:
    """Windows in time order; every region is in exactly one, or is split at a quiet point.

    `quietest` returns where to split a region longer than a window, between two times of a
    channel; the default is the middle. most_ms: the length of a window; APIs take longer ones.
    """
    by_channel: dict[int, list[tuple[int, int]]] = {}
    for region in regions:
        end_ms = min(region.end_ms, audio_ms)  # audio that does not exist would shift later windows
        if end_ms > region.start_ms:  # skips empty regions
            by_channel.setdefault(region.channel, []).append((region.start_ms, end_ms))
    windows = [
        Window(channel, tuple(pieces))
        for channel, spans in by_channel.items()
        for pieces in _fill(
            (
                part
                for span in _widen(_joined(spans), audio_ms)
                for part in _split(span, channel, quietest or _middle, most_ms)
            ),
            most_ms,
        )
    ]
    return sorted(windows, key=lambda window: (window.pieces[0].start_ms, window.channel))


def laid_out(channel: int, spans: Iterable[tuple[int, int]]) -> Window:
    """A window of these spans of the recording, concatenated."""
    pieces, used = [], 0
    for start, end in spans:
        pieces.append(Piece(start, end, used))
        used += end - start
    return Window(channel, tuple(pieces))


@dataclass(frozen=True, slots=True)
class _Span:
    """A span of speech, with its share of the surrounding pauses."""

    low: int
    start: int
    end: int
    high: int


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order; overlapping ones are merged, so that no word is decoded twice."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _widen(spans: list[tuple[int, int]], audio_ms: int) -> Iterator[_Span]:
    for i, (start, end) in enumerate(spans):
        before = start - spans[i - 1][1] if i else 2 * start
        after = spans[i + 1][0] - end if i + 1 < len(spans) else 2 * (audio_ms - end)
        low = start - min(max(before, 0) // 2, GAP_MS // 2)
        high = end + min((max(after, 0) + 1) // 2, GAP_MS // 2)
        yield _Span(low, start, end, high)


def _split(span: _Span, channel: int, quietest: Quietest, most_ms: int) -> Iterator[_Span]:
    """Split into parts of at most one window, each within the last SEARCH_MS of a part."""
    start, low = span.start, span.low
    while span.end + EDGE_MS - max(low, start - EDGE_MS) > most_ms:
        latest = min(max(low, start - EDGE_MS) + most_ms, span.end)
        at = min(max(quietest(latest - SEARCH_MS, latest, channel), start + 1), latest)
        yield _Span(low, start, at, at)
        start = low = at
    yield _Span(low, start, span.end, span.high)


def _middle(low_ms: int, high_ms: int, _channel: int) -> int:
    return (low_ms + high_ms) // 2


def _fill(spans: Iterable[_Span], most_ms: int) -> Iterator[list[Piece]]:
    """Fill windows; spans after the last long pause of a full window move to the next one."""
    group: list[_Span] = []
    for span in spans:
        while group and _end_of([*group, span]) > most_ms:
            kept = _kept(group, span, most_ms)
            yield _laid(group[:kept])
            group = group[kept:]
        group.append(span)
    if group:
        yield _laid(group)


def _kept(group: list[_Span], following: _Span, most_ms: int) -> int:
    """How many spans stay in a full window: up to a long pause that is as late as possible.

    Whisper was trained to omit a sentence cut off by the end of its 30 s, so words before such a
    cut are lost. Sequential Whisper decodes them again in the next window; here they move there.
    """
    follow = [*group[1:], following]
    pauses = [after.start - span.end for span, after in zip(group, follow, strict=True)]
    ends = [_end_of(group[:i]) for i in range(1, len(group) + 1)]
    late = [i for i, end in enumerate(ends) if end >= most_ms - CARRIED_MS] or [len(ends) - 1]
    return 1 + max(late, key=lambda i: min(pauses[i], LONG_PAUSE_MS) + ends[i] * PAUSE_A_MS)


def _laid(group: list[_Span]) -> list[Piece]:
    """The pieces of a window: speech with its pauses, cut to EDGE_MS at both ends."""
    pieces: list[Piece] = []
    used = 0
    for i, span in enumerate(group):
        start = span.low if i else max(span.low, span.start - EDGE_MS)
        end = span.high if i < len(group) - 1 else min(span.high, span.end + EDGE_MS)
        pieces.append(Piece(start, end, used))
        used += end - start
    return pieces


def _end_of(group: list[_Span]) -> int:
    """The length of a window of these spans."""
    last = _laid(group)[-1]
    return last.at_ms + last.length_ms
