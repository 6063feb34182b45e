"""Removes words that nobody said: pure rules over the model's output and measurements.

faster-whisper's threshold for hallucinations on silence has no effect in its batched pipeline.
Large models write fluent text over silence (44 % of silent clips with `turbo` in one published
benchmark), small ones over tones, crowds and reversed speech, all with high scores. And real speech
far from the microphone gets low scores. So no single score decides: words are removed if one sign
says that nobody speaks and another kind of evidence agrees (docs/decisions/0012).
"""

import dataclasses
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .boilerplate import is_boilerplate
from .raw_segments import RawSegment
from .remove_loops import without_loops
from .removed_words import FilteredWindow, Reason, Removal, SecondOpinion, WindowSound, measured
from .repetition_loops import bare, runs
from .segment_scores import COMPRESSION, is_doubtful, mean, word_probabilities

NO_SPEECH = 0.6  # with UNSURE: Whisper's own rule for silence (its transcribe.py)
UNSURE = -1.0
LEAST_HEARD_MS = 100  # of detected speech: less is a click
NEAR_SILENCE = 0.3  # share of a segment in which the detector hears speech
UNHEARD_MS = 1_000  # a longer run of words without speech is removed from its segment
FLAT_DB = 12.5  # noise floor to loudest tenth: crowds 5 to 12, a distant voice 13 up
SOUND_ADDS = 2.0  # nats per word of a window: crowds 0 to 1.9, distant speech 2.7 to 5.8
SURELY_ADDS = 4.0  # a segment with so much support from its sound stays anyway
NOTHING_ADDS = 0.7  # a text of MANY_WORDS that continues itself, as varying loops do
MANY_WORDS = 8
QUIET_ADDS = 3.0  # with RISES_DB: a sentence that the detector misses next to a louder one
RISES_DB = 8.0
BESIDE_MS = 1_000
MUMBLED = 0.6  # mean probability of a window's words: below it, check the language
NO_LANGUAGE = 0.25  # that, times the probability of the language: synthetic voices have 0.28 up
NO_LANGUAGE_FOUND = 0.3  # with a detected language: reversed up to 0.29, distant 0.36 up
BACKWARDS = 0.9  # reversed speech, reversed again: 0.94 up; distant speech: up to 0.63
LESS_DOUBT = 3.0  # times less than for the unchanged sound
DRAWN_OUT = re.compile(r"(.)\1{9}")  # "bhiiiiiiiiiii": a loop inside a word
TRANSLATED = 1.5  # words of a translation have 0.46 to 0.75 (read speech); others 0.7 to 0.95
FEW_WORDS = 3  # distinct words
CLEAR = 0.7  # a segment with so certain words stays anyway


def filter_window(
    segments: Sequence[RawSegment], language: str, sound: WindowSound, second_opinion: SecondOpinion
) -> FilteredWindow:
    """The segments of one window in order, without words that nobody said.

    `sound` is used only if a segment is doubtful, since it costs 30 ms of CPU time per window; one
    doubtful segment makes the whole window doubtful. `second_opinion` runs the model, and is used
    only where a sign says that nobody speaks.
    """
    unlooped, removals = without_loops(segments, sound)
    doubted = any(is_doubtful(segment) for segment in segments)
    has_loops = bool(removals) or any(DRAWN_OUT.search(segment.text) for segment in segments)
    window = _Window(unlooped, language, sound, second_opinion, has_loops)
    kept: list[RawSegment] = []
    for place, segment in enumerate(unlooped):
        reason = _by_text(segment, window) or (_by_sound(place, window) if doubted else None)
        if reason is not None:
            removals.append(_removal(segment, reason, window))
        elif not doubted:
            kept.append(segment)
        else:
            said, silent = _split_by_speech(segment, window)
            kept.extend(said)
            removals.extend(_removal(part, "no_speech", window) for part in silent)
    return FilteredWindow(
        tuple(kept), tuple(sorted(removals, key=lambda removal: removal.start_ms))
    )


@dataclass
class _Window:
    """The window of a segment, with its measurements."""

    segments: Sequence[RawSegment]
    language: str
    sound: WindowSound
    second_opinion: SecondOpinion
    has_loops: bool

    @cached_property
    def adds(self) -> Sequence[float]:
        """How much the sound adds to each segment (nats per word)."""
        return self.second_opinion.sound_adds(self.segments)

    def place_of(self, part: RawSegment) -> int:
        """The index of the segment that contains the part's words."""
        return next(i for i, each in enumerate(self.segments) if part.words[0] in each.words)

    @cached_property
    def is_unsupported(self) -> bool:
        """Whether the sound adds little to all words together."""
        words = [len(segment.words) for segment in self.segments]
        total = sum(added * count for added, count in zip(self.adds, words, strict=True))
        return total < SOUND_ADDS * sum(words)

    @cached_property
    def is_flat(self) -> bool:
        """Whether nothing rises above the noise floor as a voice does: a crowd, a machine."""
        return self.sound.range_db < FLAT_DB

    @cached_property
    def is_no_language(self) -> bool:
        """Whether the model is unsure of both the words and their language."""
        least = NO_LANGUAGE if self.second_opinion.language_is_given else NO_LANGUAGE_FOUND
        return self._is_mumbled and self._sure * self.second_opinion.language_certainty() < least

    @cached_property
    def is_backwards(self) -> bool:
        """Whether the words are uncertain, but a language is certain in the time-reversed sound."""
        doubt = 1 - self.second_opinion.language_certainty() if self._is_mumbled else 0
        if doubt * 2 < 1 - BACKWARDS:
            return False
        return self.backwards >= BACKWARDS and (1 - self.backwards) * LESS_DOUBT <= doubt

    @cached_property
    def backwards(self) -> float:
        """The probability of the most likely language of the time-reversed sound."""
        return self.second_opinion.language_certainty_backwards()

    @cached_property
    def _sure(self) -> float:
        return mean(word_probabilities(self.segments)) * (
            TRANSLATED if self.second_opinion.translates else 1.0
        )

    @cached_property
    def _is_mumbled(self) -> bool:
        """Whether the words are uncertain; never for a few words (a roll call), unless looped."""
        is_short = len(word_probabilities(self.segments)) < FEW_WORDS and not self.has_loops
        return not is_short and self._sure < MUMBLED


def _by_text(segment: RawSegment, window: _Window) -> Reason | None:
    """Why the text of a segment makes it removable; None if it does not."""
    if not any(bare(word.text) for word in segment.words):
        return "no_words"
    if not is_boilerplate(segment.text, window.language):
        return None
    speech_ms = window.sound(segment.start_ms, segment.end_ms)
    length_ms = segment.end_ms - segment.start_ms
    return "boilerplate" if speech_ms < max(LEAST_HEARD_MS, NEAR_SILENCE * length_ms) else None


def _by_sound(place: int, window: _Window) -> Reason | None:
    """Why the sound of a segment makes it removable: nobody speaks, and its words need no sound."""
    segment = window.segments[place]
    if window.is_flat and window.is_unsupported and window.adds[place] < SURELY_ADDS:
        return "no_speech"
    is_silence = segment.no_speech > NO_SPEECH and segment.logprob < UNSURE
    if is_silence and window.adds[place] < SOUND_ADDS:
        return "no_speech"
    if _goes_on_by_itself(place, window):
        return "repetition"
    # the words of a loop gain certainty: next to one, certainty saves no segment
    is_clear = mean(word_probabilities([segment])) >= CLEAR and not window.has_loops
    is_none = window.is_backwards or (not is_clear and window.is_no_language)
    return "no_language" if is_none else None


def _goes_on_by_itself(place: int, window: _Window) -> bool:
    """Whether a segment is a varying loop; not a repetition that was said each time."""
    segment = window.segments[place]
    texts = [word.text for word in segment.words]
    if segment.compression <= COMPRESSION or len(texts) < MANY_WORDS or any(runs(texts)):
        return False
    return window.adds[place] < NOTHING_ADDS


def _split_by_speech(
    segment: RawSegment, window: _Window
) -> tuple[list[RawSegment], list[RawSegment]]:
    """The parts of a segment with and without detected speech: text over noise may precede speech.

    A single word without detected speech stays with its neighbors, since detectors miss quiet ones.
    A quiet sentence next to a louder one stays if it rises above the noise floor and its sound
    supports it.
    """
    parts = [
        (has_speech, dataclasses.replace(segment, words=tuple(run)))
        for has_speech, run in itertools.groupby(
            segment.words, lambda word: window.sound(word.start_ms, word.end_ms) >= LEAST_HEARD_MS
        )
    ]
    said: list[RawSegment] = []
    silent: list[RawSegment] = []
    joins = False
    for has_speech, part in parts:
        is_long = len(parts) == 1 or part.end_ms - part.start_ms >= UNHEARD_MS
        goes = not has_speech and is_long and not _is_quiet_speech(part, window)
        if goes:
            silent.append(part)
        elif joins:
            said[-1] = dataclasses.replace(part, words=said[-1].words + part.words)
        else:
            said.append(part)
        joins = not goes
    return said, silent


def _is_quiet_speech(part: RawSegment, window: _Window) -> bool:
    """Whether a part is quiet speech; only next to detected speech, since tones rise too."""
    first, last = window.segments[0].start_ms, max(each.end_ms for each in window.segments)
    if window.sound(first, last) < BESIDE_MS:
        return False
    rises = window.sound.above_floor_db(part.start_ms, part.end_ms) >= RISES_DB
    return rises and window.adds[window.place_of(part)] >= QUIET_ADDS


def _removal(segment: RawSegment, reason: Reason, window: _Window) -> Removal:
    evidence = measured(segment, window.sound)
    more: dict[str, float] = {}
    if "adds" in vars(window):
        more["sound_adds"] = round(window.adds[window.place_of(segment)], 2)
    if reason == "no_language":
        more["language_certainty"] = round(window.second_opinion.language_certainty(), 2)
    if "backwards" in vars(window):
        more["language_certainty_backwards"] = round(window.backwards, 2)
    return Removal(segment.words, segment.text, reason, evidence.model_copy(update=more))
