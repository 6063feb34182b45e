"""Speech regions packed into windows of at most 30 s, with a map back to the recording's time.

Whisper pads every window to 30 s, so a window costs the same however little it holds: in a
simulated hearing of 8 h, 3,696 regions became 873 windows (the ideal is 654).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..contract import SpeechRegion
from .quiet import Quietest

WINDOW_MS = 30_000  # what Whisper sees at once
SEARCH_MS = 6_000  # before the end of a full window: a pause is near in any speech
GAP_MS = 1_000  # longer pauses are shortened to this, half of it on each side


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
    quietest = quietest or _middle
    by_channel: dict[int, list[tuple[int, int]]] = {}
    for region in regions:
        by_channel.setdefault(region.channel, []).append((region.start_ms, region.end_ms))
    windows = [
        Window(channel, tuple(pieces))
        for channel, spans in by_channel.items()
        for pieces in _fill(
            part
            for span in _widen(sorted(spans), audio_ms)
            for part in _split(*span, channel, quietest)
        )
    ]
    return sorted(windows, key=lambda window: (window.pieces[0].start_ms, window.channel))


def _widen(spans: list[tuple[int, int]], audio_ms: int) -> Iterator[tuple[int, int]]:
    """Each span with its share of the pauses around it."""
    for i, (start, end) in enumerate(spans):
        before = start - spans[i - 1][1] if i else 2 * start
        after = spans[i + 1][0] - end if i + 1 < len(spans) else 2 * (audio_ms - end)
        low = start - min(max(before, 0) // 2, GAP_MS // 2)
        high = end + min((max(after, 0) + 1) // 2, GAP_MS // 2)
        if high > low:  # a region of no length has no sound to hear
            yield low, high


def _split(low: int, high: int, channel: int, quietest: Quietest) -> Iterator[tuple[int, int]]:
    """Parts of at most a window, cut within the last SEARCH_MS of each."""
    while high - low > WINDOW_MS:
        latest = min(low + WINDOW_MS, high - 1)
        at = min(max(quietest(latest - SEARCH_MS, latest, channel), low + 1), latest)
        yield low, at
        low = at
    yield low, high


def _middle(low_ms: int, high_ms: int, _channel: int) -> int:
    return (low_ms + high_ms) // 2


def _fill(spans: Iterable[tuple[int, int]]) -> Iterator[list[Piece]]:
    window: list[Piece] = []
    used = 0
    for start, end in spans:
        if window and used + end - start > WINDOW_MS:
            yield window
            window, used = [], 0
        window.append(Piece(start, end, used))
        used += end - start
    if window:
        yield window
