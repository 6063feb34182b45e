"""A decoded call: the filtered text of each window, its gaps, and the words that fill them."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..common.audio import Samples
from ..contract import JobWarning, SpeechRegion
from .batched_decoding import Call, cut
from .coverage_gaps import SpeechGap, gaps, part_of
from .fill_gaps import merge_words, shifted
from .hallucination_filter import filter_window
from .raw_segments import RawSegment
from .removed_words import FilteredWindow, SecondOpinion
from .segment_scores import is_doubtful
from .window_vad import WindowVad
from .word_times import timed

Ask = Callable[[Samples, str], SecondOpinion]  # for a window's audio and language

_HEARD_AGAIN = "The first pass found no words here; a second pass found {:,}."
_NO_WORDS = "This sounds like speech, but two passes found no words in it."
_WITHOUT_SPEECH = frozenset(("no_speech", "no_language"))


@dataclass
class DecodedBatch:
    """The windows of a call, each with its filtered segments and its speech detection."""

    call: Call
    filtered: list[FilteredWindow]
    sounds: Sequence[WindowVad]
    second_opinions: Sequence[SecondOpinion]

    @classmethod
    def of(
        cls, samples: Samples, call: Call, found: Sequence[Sequence[RawSegment]], ask: Ask
    ) -> "DecodedBatch":
        """Filter the decoded segments of each window of a call."""
        audios = [cut(samples, window) for window in call.windows]
        sounds = [WindowVad(audio) for audio in audios]
        second_opinions = [ask(audio, call.language) for audio in audios]
        filtered = [
            filter_window(raw, call.language, heard, opinion)
            for raw, heard, opinion in zip(found, sounds, second_opinions, strict=True)
        ]
        return cls(call, filtered, sounds, second_opinions)

    def gaps(self, regions: Sequence[SpeechRegion]) -> list[tuple[int, SpeechGap]]:
        """Spans with speech but no words, each with the index of its window.

        Words removed because nobody speaks are not gaps; a removed loop may hide speech. A window
        without any remaining words is not decoded again.
        """
        found: list[tuple[int, SpeechGap]] = []
        for i, (window, each) in enumerate(zip(self.call.windows, self.filtered, strict=True)):
            words = [word for segment in each.segments for word in segment.words]
            if not words and any(gone.reason in _WITHOUT_SPEECH for gone in each.removals):
                continue
            silent = [
                (gone.start_ms, gone.end_ms)
                for gone in each.removals
                if gone.reason != "repetition"
            ]
            of_window = gaps(window, words, silent, regions, self.sounds[i])
            found += [(i, gap) for gap in of_window]
        return found

    def stretches(self, gaps: Sequence[tuple[int, SpeechGap]]) -> Call:
        """The call that decodes these gaps again."""
        windows = self.call.windows
        parts = (part_of(windows[i], gap.from_ms, gap.to_ms) for i, gap in gaps)
        return Call(tuple(parts), self.call.language)

    def mend(
        self, gaps: Sequence[tuple[int, SpeechGap]], again: Sequence[Sequence[RawSegment]]
    ) -> list[JobWarning]:
        """Insert the new words of the second pass; returns a warning for each gap."""
        return [
            self._mended(i, gap, shifted(raw, gap.from_ms))
            for (i, gap), raw in zip(gaps, again, strict=True)
        ]

    def timed(self) -> list[FilteredWindow]:
        """The filtered windows, with corrected word times."""
        return [
            dataclasses.replace(
                each, segments=tuple(timed(each.segments, window.length_ms, heard.sounds))
            )
            for window, each, heard in zip(
                self.call.windows, self.filtered, self.sounds, strict=True
            )
        ]

    def _mended(self, i: int, gap: SpeechGap, again: Sequence[RawSegment]) -> JobWarning:
        heard = filter_window(again, self.call.language, self.sounds[i], self.second_opinions[i])
        new = [each for each in heard.segments if not (self._looped(i, gap) and is_doubtful(each))]
        segments, words = merge_words(self.filtered[i].segments, new, gap)
        self.filtered[i] = dataclasses.replace(self.filtered[i], segments=tuple(segments))
        window = self.call.windows[i]
        return JobWarning(
            code="heard_again" if words else "no_words_heard",
            message=_HEARD_AGAIN.format(words) if words else _NO_WORDS,
            start_ms=window.recording_span(gap.low_ms, gap.low_ms)[0],
            end_ms=window.recording_span(gap.high_ms, gap.high_ms)[1],
        )

    def _looped(self, i: int, gap: SpeechGap) -> bool:
        """Whether a loop was removed there: no doubtful segment may take its place."""
        return any(
            gone.reason == "repetition" and gone.start_ms < gap.high_ms and gone.end_ms > gap.low_ms
            for gone in self.filtered[i].removals
        )
