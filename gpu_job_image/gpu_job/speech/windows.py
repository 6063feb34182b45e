"""Speech regions packed into windows of at most 30 s, with a map back to the recording's time.

Whisper pads every window to 30 s, so a window costs the same however little it holds: in a
simulated hearing of 8 h, 3,700 regions become 894 windows (the ideal is 650).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..contract import SpeechRegion
from .quiet import Quietest

WINDOW_MS = 30_000  # what Whisper sees at once
SEARCH_MS = 6_000  # before the end of a full window: a pause is near in any speech
CARRIED_MS = 12_000  # at most, into the next window: that is for a pause between sentences
LONG_PAUSE_MS = 1_500  # a longer one ends a sentence no better
PAUSE_A_MS = 0.08  # so much more of a pause is worth a millisecond of an emptier window
EDGE_MS = 350  # of a pause at the ends of a window
GAP_MS = 700  # longer pauses are shortened to this, half on each side; at 1 s there are 4 % more


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the recording, and where it lies in its window."""

    start_ms: int
    end_ms: int
    at_ms: int

    @property
    def length_ms(self) -> int:
        """How much of the window it takes."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of one channel, laid end to end."""

    channel: int
    pieces: tuple[Piece, ...]

    @property
    def length_ms(self) -> int:
        """At most WINDOW_MS."""
        return self.pieces[-1].at_ms + self.pieces[-1].length_ms

    def recording_span(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The span in the recording's time, kept inside the piece in which its middle lies."""
        starts = [piece.at_ms for piece in self.pieces]
        piece = self.pieces[max(0, bisect_right(starts, (start_ms + end_ms) // 2) - 1)]
        shift = piece.start_ms - piece.at_ms
        low = min(max(start_ms + shift, piece.start_ms), piece.end_ms)
        return low, min(max(end_ms + shift, low), piece.end_ms)


def pack(
    regions: Iterable[SpeechRegion], audio_ms: int, quietest: Quietest | None = None
) -> list[Window]:
    """Windows in time order; every region lies in exactly one, or is split where it is quiet.

    `quietest` says where between two times of a channel to split what is longer than a window;
    without it, in the middle.
    """
    by_channel: dict[int, list[tuple[int, int]]] = {}
    for region in regions:
        end_ms = min(region.end_ms, audio_ms)  # what is not there would shift all windows after it
        if end_ms > region.start_ms:  # a region of no length has no sound to hear
            by_channel.setdefault(region.channel, []).append((region.start_ms, end_ms))
    windows = [
        Window(channel, tuple(pieces))
        for channel, spans in by_channel.items()
        for pieces in _fill(
            part
            for span in _widen(_joined(spans), audio_ms)
            for part in _split(span, channel, quietest or _middle)
        )
    ]
    return sorted(windows, key=lambda window: (window.pieces[0].start_ms, window.channel))


def laid_out(channel: int, spans: Iterable[tuple[int, int]]) -> Window:
    """A window of these stretches of the recording, end to end."""
    pieces, used = [], 0
    for start, end in spans:
        pieces.append(Piece(start, end, used))
        used += end - start
    return Window(channel, tuple(pieces))


@dataclass(frozen=True, slots=True)
class _Span:
    """Speech, and how far its share of the pauses around it goes."""

    low: int
    start: int
    end: int
    high: int


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order; those that overlap are one, or their words would be heard twice."""
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


def _split(span: _Span, channel: int, quietest: Quietest) -> Iterator[_Span]:
    """Parts of at most a window, cut within the last SEARCH_MS of each."""
    start, low = span.start, span.low
    while span.end + EDGE_MS - max(low, start - EDGE_MS) > WINDOW_MS:
        latest = min(max(low, start - EDGE_MS) + WINDOW_MS, span.end)
        at = min(max(quietest(latest - SEARCH_MS, latest, channel), start + 1), latest)
        yield _Span(low, start, at, at)
        start = low = at
    yield _Span(low, start, span.end, span.high)


def _middle(low_ms: int, high_ms: int, _channel: int) -> int:
    return (low_ms + high_ms) // 2


def _fill(spans: Iterable[_Span]) -> Iterator[list[Piece]]:
    """As many as fit; what is over goes into the next, from the last long pause on."""
    group: list[_Span] = []
    for span in spans:
        while group and _end_of([*group, span]) > WINDOW_MS:
            kept = _kept(group, span)
            yield _laid(group[:kept])
            group = group[kept:]
        group.append(span)
    if group:
        yield _laid(group)


def _kept(group: list[_Span], following: _Span) -> int:
    """How many stay in a full window: up to a long pause, and as late a one as may be.

    A Whisper was trained to leave out a sentence that its 30 s cut off, and the words before such
    a cut are lost. Plain Whisper hears them again in the next window; so does this, at once.
    """
    follow = [*group[1:], following]
    pauses = [after.start - span.end for span, after in zip(group, follow, strict=True)]
    ends = [_end_of(group[:i]) for i in range(1, len(group) + 1)]
    late = [i for i, end in enumerate(ends) if end >= WINDOW_MS - CARRIED_MS] or [len(ends) - 1]
    return 1 + max(late, key=lambda i: min(pauses[i], LONG_PAUSE_MS) + ends[i] * PAUSE_A_MS)


def _laid(group: list[_Span]) -> list[Piece]:
    """The speech of a window with its pauses; at both ends EDGE_MS of them are enough."""
    pieces: list[Piece] = []
    used = 0
    for i, span in enumerate(group):
        start = span.low if i else max(span.low, span.start - EDGE_MS)
        end = span.high if i < len(group) - 1 else min(span.high, span.end + EDGE_MS)
        pieces.append(Piece(start, end, used))
        used += end - start
    return pieces


def _end_of(group: list[_Span]) -> int:
    """Length of the window."""
    last = _laid(group)[-1]
    return last.at_ms + last.length_ms
