"""A call as it was heard: what is believed of each window, what is missing, and what mends it."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..audio import Samples
from ..contract import JobWarning, SpeechRegion
from .batches import Call, cut
from .coverage import Gap, gaps, part_of
from .doubts import believe, is_doubtful
from .hearing import WindowHearing
from .mending import later, mended
from .raw import RawSegment
from .removals import Believed, SecondOpinion
from .times import timed

Ask = Callable[[Samples, str], SecondOpinion]  # about a window's audio, in a language

_HEARD_AGAIN = "No word was found at first; heard once more, {:,} were."
_NO_WORDS = "Something sounds like speech, and no word was found in it, heard twice."
_NOBODY = frozenset(("no_speech", "no_language"))


@dataclass
class HeardCall:
    """The windows of a call, each with what is believed of it and where somebody speaks."""

    call: Call
    believed: list[Believed]
    hearings: Sequence[WindowHearing]
    asked: Sequence[SecondOpinion]

    @classmethod
    def of(
        cls, samples: Samples, call: Call, found: Sequence[Sequence[RawSegment]], ask: Ask
    ) -> "HeardCall":
        """What was written for each window of a call, without what nobody said."""
        audios = [cut(samples, window) for window in call.windows]
        hearings = [WindowHearing(audio) for audio in audios]
        asked = [ask(audio, call.language) for audio in audios]
        believed = [
            believe(raw, call.language, heard, opinion)
            for raw, heard, opinion in zip(found, hearings, asked, strict=True)
        ]
        return cls(call, believed, hearings, asked)

    def gaps(self, regions: Sequence[SpeechRegion]) -> list[tuple[int, Gap]]:
        """Where something was said that is not written, with the place of the window.

        What was taken out because nobody speaks there is not lost; a loop stands in for what was
        said. A window of which all was taken out so is not asked again.
        """
        found: list[tuple[int, Gap]] = []
        for i, (window, each) in enumerate(zip(self.call.windows, self.believed, strict=True)):
            words = [word for segment in each.segments for word in segment.words]
            if not words and any(gone.reason in _NOBODY for gone in each.removals):
                continue
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

    def timed(self) -> list[Believed]:
        """What is believed of each window, with times of words that can be true."""
        return [
            dataclasses.replace(
                each, segments=tuple(timed(each.segments, window.length_ms, heard.sounds))
            )
            for window, each, heard in zip(
                self.call.windows, self.believed, self.hearings, strict=True
            )
        ]

    def _mended(self, i: int, gap: Gap, again: Sequence[RawSegment]) -> JobWarning:
        heard = believe(again, self.call.language, self.hearings[i], self.asked[i])
        new = [each for each in heard.segments if not (self._looped(i, gap) and is_doubtful(each))]
        segments, words = mended(self.believed[i].segments, new, gap)
        self.believed[i] = dataclasses.replace(self.believed[i], segments=tuple(segments))
        window = self.call.windows[i]
        return JobWarning(
            code="heard_again" if words else "no_words_heard",
            message=_HEARD_AGAIN.format(words) if words else _NO_WORDS,
            start_ms=window.recording_span(gap.low_ms, gap.low_ms)[0],
            end_ms=window.recording_span(gap.high_ms, gap.high_ms)[1],
        )

    def _looped(self, i: int, gap: Gap) -> bool:
        """Whether a loop stood there: nothing that is in doubt takes the place of what was cut."""
        return any(
            gone.reason == "repetition" and gone.start_ms < gap.high_ms and gone.end_ms > gap.low_ms
            for gone in self.believed[i].removals
        )
