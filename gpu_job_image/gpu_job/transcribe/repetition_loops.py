"""Loops: a few words repeated over and over, Whisper's typical failure on unintelligible audio.

People repeat themselves too: a roll call is twelve times "Yes.", an account number six times
"five". So a loop is only what was written more often than it was said.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..contract.word_joins import is_blankless
from .raw_segments import RawWord

LONGEST_UNIT = 12  # words that repeat as a unit
LONGEST_UNIT_OF_SIGNS = 48  # in scripts without spaces, where a "word" is a character or two
LEAST_TIMES = {1: 6, 2: 5}  # people do say "não, não, não, não"
LEAST_TIMES_LONGER = 4
LETTER_MS = 25  # the fastest speakers: 40 letters a second
AROUND_MS = 100  # word times are hardly more precise
ALONE_MS = 500  # a sound this far from all others is a separate word
WORD_MS = 300  # duration of a monosyllable
_INSIDE_A_WORD = re.compile(r"(\S{1,4}?)\1{9,}")  # "555…": ten times or more, without a space

LEAST_MS = 150  # of a repetition that can be compared by sound
ALIKE = 0.55  # real repetitions have 0.8; loops over other speech 0 to 0.5

# level peaks (ms) between two times of a window, each at most a syllable
Bursts = Callable[[int, int], Sequence[int]]


class Sound(Protocol):
    """The measurements of a window's audio that loops need."""

    def bursts(self, start_ms: int, end_ms: int) -> Sequence[int]:
        """Times of the level peaks between two times, each at most a syllable."""

    def alike(self, spans: Sequence[tuple[int, int]]) -> float:
        """Median similarity of each span to the previous one, up to 1."""


@dataclass(frozen=True, slots=True)
class RepeatedRun:
    """The same words, `times` times in a row, from index `first`."""

    first: int
    unit: int
    times: int

    @property
    def end(self) -> int:
        """The index after the last word."""
        return self.first + self.unit * self.times

    def place(self, time: int) -> int:
        """The index of the first word of one repetition, counted from 0."""
        return self.first + self.unit * time


def bare(word: str) -> str:
    """The word in lower case, without punctuation; empty for "..."."""
    letters = (char for char in word.casefold() if unicodedata.category(char)[0] in "LNM")
    return "".join(letters)


def runs(words: Sequence[str]) -> Iterator[RepeatedRun]:
    """Runs of words repeated so often that they are loops, unless the sound confirms them.

    >>> list(runs("so the plan the plan the plan the plan the plan is".split()))
    [RepeatedRun(first=1, unit=2, times=5)]
    """
    plain = [bare(word) for word in words]
    signs = sum(bool(word) and is_blankless(word[0]) for word in plain)
    longest = LONGEST_UNIT_OF_SIGNS if 2 * signs > len(plain) else LONGEST_UNIT
    place = 0
    while place < len(plain):
        unit, times = _longest_run(plain, place, longest)
        if times:
            yield RepeatedRun(place, unit, times)
        place += max(unit * times, 1)


def shortened(word: RawWord, bursts: Bursts) -> tuple[RawWord, RawWord | None]:
    """A loop inside a word, cut to as many repetitions as there are sounds; and the rest.

    "555…" 220 times in 3 s is not an account number; six times with six sounds is one.
    """
    found = _INSIDE_A_WORD.search(word.text)
    if found is None or _is_sayable([word]):
        return word, None
    unit, written = found[1], len(found[0]) // len(found[1])
    times = max(1, min(written, len(bursts(word.start_ms, word.end_ms))))
    left = word.text[: found.start()] + unit * times + word.text[found.end() :]
    rest = RawWord(word.end_ms, word.end_ms, unit * (written - times), word.probability, joins=True)
    return dataclasses.replace(word, text=left), rest


def unheard(words: Sequence[RawWord], sound: Sound) -> tuple[set[int], dict[int, RawWord]]:
    """The indices of repeated words that nobody said again, and words to move.

    If a run has a burst of sound for each of its words, all of it was said, even if its times are
    wrong. Otherwise each repetition needs a burst of its own and enough time for its letters; and
    all of these must sound alike, or the model repeated itself while other things were said. The
    first repetition is always kept. In a run of single words that were mostly said, a burst
    without a word belongs to a word placed elsewhere: the second value maps the index of such a
    word to the word with its new time.
    """
    gone: set[int] = set()
    moved: dict[int, RawWord] = {}
    for run in runs([word.text for word in words]):
        low, high = words[run.first].start_ms, words[run.end - 1].end_ms
        found = sound.bursts(low - AROUND_MS, high + AROUND_MS)
        own = _silent_times(words, run, found)
        if not _are_alike(words, run, own, sound):
            gone.update(range(run.place(1), run.end))
        elif len(found) < run.unit * run.times or not _is_sayable(words[run.first : run.end]):
            silent = own
            if run.unit == 1 and len(silent) <= run.times // 2:
                moved |= _moved(words, run, silent, found)
            gone |= silent - moved.keys()
    return gone, moved


def _are_alike(words: Sequence[RawWord], run: RepeatedRun, silent: set[int], sound: Sound) -> bool:
    spans = [
        (words[run.place(time)].start_ms, words[run.place(time + 1) - 1].end_ms)
        for time in range(run.times)
        if run.place(time) not in silent
    ]
    return sound.alike([(low, high) for low, high in spans if high - low >= LEAST_MS]) >= ALIKE


def _silent_times(words: Sequence[RawWord], run: RepeatedRun, bursts: Sequence[int]) -> set[int]:
    left = list(bursts)
    gone: set[int] = set()
    for time in range(run.times):
        places = range(run.place(time), run.place(time + 1))
        own = [words[place] for place in places]
        low, high = own[0].start_ms - AROUND_MS, own[-1].end_ms + AROUND_MS
        heard = [at for at in left if low <= at <= high][: run.unit]
        if len(heard) == run.unit and _is_sayable(own):
            left = [at for at in left if at > heard[-1]]
        elif time:
            gone.update(places)
    return gone


def _moved(
    words: Sequence[RawWord], run: RepeatedRun, silent: set[int], bursts: Sequence[int]
) -> dict[int, RawWord]:
    """Words without sound, moved to bursts that have no word."""
    kept = [words[place] for place in range(run.first, run.end) if place not in silent]
    taken = [(word.start_ms - ALONE_MS, word.end_ms + ALONE_MS) for word in kept]
    alone: list[int] = []
    for at in bursts:
        is_free = not any(low <= at <= high for low, high in taken)
        if is_free and (not alone or at - alone[-1] >= ALONE_MS):
            alone.append(at)
    return {
        place: dataclasses.replace(
            words[place], start_ms=max(0, at - WORD_MS // 2), end_ms=at + WORD_MS // 2
        )
        for place, at in zip(sorted(silent), alone, strict=False)
    }


def _is_sayable(words: Sequence[RawWord]) -> bool:
    letters = sum(len(bare(word.text)) for word in words)
    return words[-1].end_ms - words[0].start_ms >= LETTER_MS * letters


def _longest_run(words: Sequence[str], place: int, longest: int) -> tuple[int, int]:
    """The shortest unit that repeats often enough from here, and its number of repetitions."""
    for unit in range(1, min(longest, (len(words) - place) // 2) + 1):
        times = 1
        first = words[place : place + unit]
        while words[place + unit * times : place + unit * (times + 1)] == first:
            times += 1
        if any(first) and times >= LEAST_TIMES.get(unit, LEAST_TIMES_LONGER):
            return unit, times
    return 0, 0
