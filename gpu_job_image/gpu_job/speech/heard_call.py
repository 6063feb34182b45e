"""A call as it was heard: what is believed of each window, what is missing, and what mends it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from ..audio import Samples
from ..contract import JobWarning, SpeechRegion
from .batches import Call, cut
from .coverage import Gap, gaps, part_of
from .doubts import Believed, believe
from .hearing import WindowHearing
from .mending import later, mended
from .raw import RawSegment


@dataclass
class HeardCall:
    """The windows of a call, each with what is believed of it and where somebody speaks."""

    call: Call
    believed: list[Believed]
    hearings: Sequence[WindowHearing]

    @classmethod
    def of(cls, samples: Samples, call: Call, found: Sequence[Sequence[RawSegment]]) -> "HeardCall":
        """What was written for each window of a call, without what nobody said."""
        hearings = [WindowHearing(cut(samples, window)) for window in call.windows]
        pairs = zip(found, hearings, strict=True)
        return cls(call, [believe(raw, call.language, heard) for raw, heard in pairs], hearings)

    def gaps(self, regions: Sequence[SpeechRegion]) -> list[tuple[int, Gap]]:
        """Where something was said that is not written, with the place of the window.

        What was taken out because nobody speaks there is not lost; a loop stands in for what was
        said.
        """
        found: list[tuple[int, Gap]] = []
        for i, (window, each) in enumerate(zip(self.call.windows, self.believed, strict=True)):
            words = [word for segment in each.segments for word in segment.words]
            silent = [
                (gone.start_ms, gone.end_ms)
                for gone in each.removals
                if gone.reason != "repetition"
            ]
            of_window = gaps(window, words, silent, regions, self.hearings[i])
            found += [(i, gap) for gap in of_window]
        return found

    def stretches(self, gaps: Sequence[tuple[int, Gap]]) -> Call:
        """What is to be heard again for these gaps."""
        windows = self.call.windows
        parts = (part_of(windows[i], gap.from_ms, gap.to_ms) for i, gap in gaps)
        return Call(tuple(parts), self.call.language)

    def mend(
        self, gaps: Sequence[tuple[int, Gap]], again: Sequence[Sequence[RawSegment]]
    ) -> list[JobWarning]:
        """Put in what is new in what was heard again; and tell of it."""
        return [
            self._mended(i, gap, later(raw, gap.from_ms))
            for (i, gap), raw in zip(gaps, again, strict=True)
        ]

    def _mended(self, i: int, gap: Gap, again: Sequence[RawSegment]) -> JobWarning:
        heard = believe(again, self.call.language, self.hearings[i])
        segments, words = mended(self.believed[i].segments, heard.segments, gap)
        self.believed[i] = dataclasses.replace(self.believed[i], segments=tuple(segments))
        window = self.call.windows[i]
        return JobWarning(
            code="heard_again" if words else "no_words_heard",
            message=f"No word was found at first; heard once more, {words} were.",
            start_ms=window.recording_span(gap.low_ms, gap.low_ms)[0],
            end_ms=window.recording_span(gap.high_ms, gap.high_ms)[1],
        )
