"""Which of the model's words nobody said: pure rules over what it wrote and what else is known.

faster-whisper's own threshold for hallucinations on silence does nothing in its batched pipeline.
Large models write fluent text over silence (44 % of silent clips with `turbo` in one published
benchmark), small ones over tones, crowds and reversed talk; none doubts it much. And what is said
far from the microphone is doubted though it was said. So no single score decides: words go where
a sign says that nobody speaks, and another kind of evidence agrees (docs/decisions/0012).
"""

import dataclasses
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .boilerplate import is_boilerplate
from .loops import bare, runs
from .raw import RawSegment
from .removals import Believed, Hearing, Reason, Removal, SecondOpinion, measured
from .unlooped import without_loops

NO_SPEECH = 0.6  # with UNSURE: Whisper's own rule for silence (its transcribe.py)
UNSURE = -1.0
DOUBTFUL_LOGPROB = -0.4  # clean speech is at -0.1 to -0.37, text over tones mostly below -0.6
DOUBTFUL_NO_SPEECH = 0.3
DOUBTFUL_WORDS = 0.6  # mean probability of the words
DOUBTFUL_WORD = 0.3  # of one
LONG_WORD_MS = 2_000  # nobody drawls so: the model had nothing to hold on to
COMPRESSION = 2.4  # Whisper's own threshold
LEAST_HEARD_MS = 100  # of speech, by the detector: less is a click
NEAR_SILENCE = 0.3  # share of a segment in which the detector hears speech
UNHEARD_MS = 1_000  # words without speech for so long go, though their segment stays
FLAT_DB = 12.5  # from the floor to the loud tenth: crowds 5 to 12, one voice from afar 13 up
SOUND_ADDS = 2.0  # nats for each word of a window: crowds 0 to 1.9, speech from afar 2.7 to 5.8
SURELY_ADDS = 4.0  # a segment of which the sound says so much stays all the same
NOTHING_ADDS = 0.7  # a text of MANY_WORDS that goes on by itself, as loops with changes in them do
MANY_WORDS = 8
QUIET_ADDS = 3.0  # with RISES_DB: a sentence that the detector misses beside a louder one
RISES_DB = 8.0
BESIDE_MS = 1_000
MUMBLED = 0.6  # mean probability of a window's words: below it, its language is asked for
NO_LANGUAGE = 0.25  # that, times the likeliest language's: a synthetic voice has 0.28 and up
NO_LANGUAGE_FOUND = 0.3  # where the model chose the language: backwards to 0.29, from afar 0.36 up
DRAWN_OUT = re.compile(r"(.)\1{9}")  # "bhiiiiiiiiiii": a loop inside a word
TRANSLATED = 1.5  # words of a translation have 0.46 to 0.75, of read speech; others 0.7 to 0.95
FEW_WORDS = 3  # different ones
CLEAR = 0.7  # a segment that is so sure of its words stays all the same


def believe(
    segments: Sequence[RawSegment], language: str, heard: Hearing, asked: SecondOpinion
) -> Believed:
    """The segments of one window, in order, without what nobody said.

    `heard` is asked only where something is in doubt: it costs 30 ms of a CPU for each window.
    Where one segment is, all of its window are. `asked` runs the model, and is asked only where
    something says that nobody speaks.
    """
    unlooped, removals = without_loops(segments, heard)
    doubted = any(is_doubtful(segment) for segment in segments)
    has_loops = bool(removals) or any(DRAWN_OUT.search(segment.text) for segment in segments)
    window = _Window(unlooped, language, heard, asked, has_loops)
    kept: list[RawSegment] = []
    for place, segment in enumerate(unlooped):
        reason = _by_text(segment, window) or (_by_sound(place, window) if doubted else None)
        if reason is not None:
            removals.append(_removal(segment, reason, window))
        elif not doubted:
            kept.append(segment)
        else:
            said, silent = _heard_parts(segment, window)
            kept.extend(said)
            removals.extend(_removal(part, "no_speech", window) for part in silent)
    return Believed(tuple(kept), tuple(sorted(removals, key=lambda removal: removal.start_ms)))


def is_doubtful(segment: RawSegment) -> bool:
    """Whether the model was unsure of it, or wrote what compresses too well or took too long."""
    chances = [word.probability for word in segment.words]
    return (
        segment.logprob < DOUBTFUL_LOGPROB
        or segment.no_speech > DOUBTFUL_NO_SPEECH
        or segment.compression > COMPRESSION
        or _mean(chances) < DOUBTFUL_WORDS
        or min(chances) < DOUBTFUL_WORD
        or any(word.end_ms - word.start_ms > LONG_WORD_MS for word in segment.words)
    )


@dataclass
class _Window:
    """What is known of the window in which a segment stands."""

    segments: Sequence[RawSegment]
    language: str
    heard: Hearing
    asked: SecondOpinion
    has_loops: bool

    @cached_property
    def adds(self) -> Sequence[float]:
        """What its sound adds to each segment."""
        return self.asked.sound_adds(self.segments)

    def place_of(self, part: RawSegment) -> int:
        """Of the segment that holds its words."""
        return next(i for i, each in enumerate(self.segments) if part.words[0] in each.words)

    @cached_property
    def is_unsupported(self) -> bool:
        """All its words together are hardly likelier for having been heard."""
        words = [len(segment.words) for segment in self.segments]
        total = sum(added * count for added, count in zip(self.adds, words, strict=True))
        return total < SOUND_ADDS * sum(words)

    @cached_property
    def is_flat(self) -> bool:
        """A crowd, a machine: nothing in it rises as a voice does."""
        return self.heard.range_db < FLAT_DB

    @cached_property
    def is_no_language(self) -> bool:
        """The model is unsure of the words, and of every language that they could be of.

        Of a few words, such as a roll call's, no language can be told; what a loop left is no
        roll call.
        """
        chances = _chances(self.segments)
        sure = _mean(chances) * (TRANSLATED if self.asked.translates else 1.0)
        is_short = len(chances) < FEW_WORDS and not self.has_loops
        if is_short or sure >= MUMBLED:
            return False
        least = NO_LANGUAGE if self.asked.language_is_told else NO_LANGUAGE_FOUND
        return sure * self.asked.language_certainty() < least


def _by_text(segment: RawSegment, window: _Window) -> Reason | None:
    """Why the whole segment goes, by what it says."""
    if not any(bare(word.text) for word in segment.words):
        return "no_words"
    if not is_boilerplate(segment.text, window.language):
        return None
    speech_ms = window.heard(segment.start_ms, segment.end_ms)
    length_ms = segment.end_ms - segment.start_ms
    return "boilerplate" if speech_ms < max(LEAST_HEARD_MS, NEAR_SILENCE * length_ms) else None


def _by_sound(place: int, window: _Window) -> Reason | None:
    """Why the whole segment goes: a sign that nobody speaks, and words that need no sound."""
    segment = window.segments[place]
    if window.is_flat and window.is_unsupported and window.adds[place] < SURELY_ADDS:
        return "no_speech"
    is_silence = segment.no_speech > NO_SPEECH and segment.logprob < UNSURE
    if is_silence and window.adds[place] < SOUND_ADDS:
        return "no_speech"
    if _goes_on_by_itself(place, window):
        return "repetition"
    # a loop grows sure of its words: beside one, no segment stays for being so
    is_clear = _mean(_chances([segment])) >= CLEAR and not window.has_loops
    return "no_language" if not is_clear and window.is_no_language else None


def _goes_on_by_itself(place: int, window: _Window) -> bool:
    """A loop with changes in it; not what is said again, of which each time was heard."""
    segment = window.segments[place]
    texts = [word.text for word in segment.words]
    if segment.compression <= COMPRESSION or len(texts) < MANY_WORDS or any(runs(texts)):
        return False
    return window.adds[place] < NOTHING_ADDS


def _chances(segments: Sequence[RawSegment]) -> list[float]:
    """Probabilities of the words, of each the first time: a loop grows sure of itself."""
    chances: dict[str, float] = {}
    for segment in segments:
        for word in segment.words:
            chances.setdefault(bare(word.text), word.probability)
    return list(chances.values())


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0


def _heard_parts(segment: RawSegment, window: _Window) -> tuple[list[RawSegment], list[RawSegment]]:
    """What the detector hears of it too, and what not: text over a noise may lead into speech.

    A word that alone is not heard stays with its neighbours: detectors miss quiet ones. Where they
    miss a whole sentence beside a louder one, it rises above the floor all the same, and its sound
    says it.
    """
    parts = [
        (is_heard, dataclasses.replace(segment, words=tuple(run)))
        for is_heard, run in itertools.groupby(
            segment.words, lambda word: window.heard(word.start_ms, word.end_ms) >= LEAST_HEARD_MS
        )
    ]
    said: list[RawSegment] = []
    silent: list[RawSegment] = []
    joins = False
    for is_heard, part in parts:
        is_long = len(parts) == 1 or part.end_ms - part.start_ms >= UNHEARD_MS
        goes = not is_heard and is_long and not _is_quiet_speech(part, window)
        if goes:
            silent.append(part)
        elif joins:
            said[-1] = dataclasses.replace(part, words=said[-1].words + part.words)
        else:
            said.append(part)
        joins = not goes
    return said, silent


def _is_quiet_speech(part: RawSegment, window: _Window) -> bool:
    """Beside somebody whom the detector hears: tones and clicks rise above silence too."""
    first, last = window.segments[0].start_ms, max(each.end_ms for each in window.segments)
    if window.heard(first, last) < BESIDE_MS:
        return False
    rises = window.heard.above_floor_db(part.start_ms, part.end_ms) >= RISES_DB
    return rises and window.adds[window.place_of(part)] >= QUIET_ADDS


def _removal(segment: RawSegment, reason: Reason, window: _Window) -> Removal:
    evidence = measured(segment, window.heard)
    more: dict[str, float] = {}
    if "adds" in vars(window):
        more["sound_adds"] = round(window.adds[window.place_of(segment)], 2)
    if reason == "no_language":
        more["language_certainty"] = round(window.asked.language_certainty(), 2)
    return Removal(segment.words, segment.text, reason, evidence.model_copy(update=more))
