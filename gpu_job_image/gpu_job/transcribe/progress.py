"""The transcription of a recording so far; it can be saved and resumed."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..common.purchases import Purchases
from ..contract import JobWarning, Segment, SpeechRegion, WordTimes
from .window_plan import WindowPlan
from .windows import Window

_CERTAINTY: tuple[WordTimes, ...] = ("", "aligned", "estimated")  # the best first


@dataclass
class TranscriptionProgress:
    """The words of the first `windows_done` windows of the plan.

    plan: None until it is made. word_times: as in the result, of the least certain window.
    purchases: of this attempt alone; a saved transcription has none.
    """

    plan: WindowPlan | None = None
    windows_done: int = 0
    segments: list[Segment] = field(default_factory=list)
    warnings: list[JobWarning] = field(default_factory=list)
    word_times: WordTimes = ""
    purchases: Purchases = field(default_factory=Purchases, compare=False)

    @property
    def language(self) -> str:
        """The language of the recording; empty without speech."""
        return self.plan.language if self.plan else ""

    @property
    def language_probability(self) -> float:
        """Its probability; 1 if the job names the language."""
        return self.plan.probability if self.plan else 1.0

    def add(self, more: "TranscriptionProgress", windows: int) -> None:
        """Add the complete transcription of the next `windows` windows."""
        self.segments.extend(more.segments)
        self.warnings.extend(more.warnings)
        self.windows_done += windows
        self.word_times = max(self.word_times, more.word_times, key=_CERTAINTY.index)

    def sort_by_time(self) -> None:
        """Sort segments and warnings by time, since channels are decoded alternately."""
        self.segments.sort(key=lambda segment: (segment.start_ms, segment.channel))
        self.warnings.sort(key=lambda warning: warning.start_ms)


class SpeechDone:
    """Progress in milliseconds of speech; it never decreases."""

    def __init__(self, windows: Sequence[Window], regions: Sequence[SpeechRegion]) -> None:
        self._before_ms = [0, *itertools.accumulate(window.length_ms for window in windows)]
        spoken = sum(region.end_ms - region.start_ms for region in regions)
        self._share = spoken / max(self._before_ms[-1], 1)
        self._most_ms = 0

    def speech_ms(self, windows: int, further_ms: int) -> int:
        """Milliseconds of speech in the first `windows`, and in `further_ms` of the next."""
        heard_ms = min(self._before_ms[windows] + further_ms, self._before_ms[-1])
        # a call that ran out of memory starts again
        self._most_ms = max(self._most_ms, round(self._share * heard_ms))
        return self._most_ms
