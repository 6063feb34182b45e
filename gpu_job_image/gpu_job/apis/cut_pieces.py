"""Cuts a recording into pieces for an API: in pauses, and smaller where the API refuses one."""

from collections.abc import Sequence
from dataclasses import replace

from ..common.audio import SAMPLES_PER_MS, Samples
from ..contract import JobOptions, SpeechRegion
from ..transcribe.quietest_point import Quietest, quietest
from ..transcribe.window_plan import WindowPlan
from ..transcribe.windows import Window, laid_out, pack

_AROUND_MIDDLE = 0.25  # of a piece: its halves are at least this long


def planned(
    samples: Samples, regions: Sequence[SpeechRegion], options: JobOptions, most_ms: int
) -> WindowPlan:
    """The pieces of a recording; long pauses are not sent, and so not paid."""
    windows = pack(regions, samples.shape[1] // SAMPLES_PER_MS, quietest(samples), most_ms)
    return WindowPlan(tuple(windows), options.language or "")


def with_halves(plan: WindowPlan, at: int, samples: Samples) -> WindowPlan:
    """The plan with one piece cut in two; the times of all others stay."""
    halves = halves_of(plan.windows[at], quietest(samples))
    return replace(plan, windows=(*plan.windows[:at], *halves, *plan.windows[at + 1 :]))


def halves_of(window: Window, quiet: Quietest) -> tuple[Window, Window]:
    """Cut near the middle: in the pause nearest to it, or at the quietest point around it."""
    spans = [(piece.start_ms, piece.end_ms) for piece in window.pieces]
    middle = window.length_ms // 2
    least = int(window.length_ms * _AROUND_MIDDLE)
    pauses = [i for i, piece in enumerate(window.pieces) if i and abs(piece.at_ms - middle) < least]
    if pauses:
        at = min(pauses, key=lambda i: abs(window.pieces[i].at_ms - middle))
        return laid_out(window.channel, spans[:at]), laid_out(window.channel, spans[at:])
    i = max(i for i, piece in enumerate(window.pieces) if piece.at_ms <= middle)
    piece = window.pieces[i]
    center = piece.start_ms + middle - piece.at_ms
    low, high = max(piece.start_ms + 1, center - least), min(piece.end_ms - 1, center + least)
    cut = min(max(quiet(low, high, window.channel), low), high)
    first, second = [*spans[:i], (piece.start_ms, cut)], [(cut, piece.end_ms), *spans[i + 1 :]]
    return laid_out(window.channel, first), laid_out(window.channel, second)
