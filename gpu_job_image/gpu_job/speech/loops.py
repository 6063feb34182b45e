"""Loops: a few words written over and over, which is how a Whisper fails on what it cannot hear."""

import unicodedata
from collections.abc import Sequence

LONGEST_UNIT = 12  # words that repeat as one
LEAST_TIMES = {1: 6, 2: 5}  # people do say "não, não, não, não"
LEAST_TIMES_LONGER = 4


def bare(word: str) -> str:
    """A word without case and punctuation; empty for "..." alone."""
    letters = (char for char in word.casefold() if unicodedata.category(char)[0] in "LNM")
    return "".join(letters)


def looped(words: Sequence[str]) -> set[int]:
    """The places of words that only repeat what stands before them; the first time is kept.

    >>> sorted(looped("so the plan the plan the plan the plan the plan is".split()))
    [3, 4, 5, 6, 7, 8, 9, 10]
    """
    plain = [bare(word) for word in words]
    gone: set[int] = set()
    place = 0
    while place < len(plain):
        unit, times = _longest_run(plain, place)
        if times:
            gone.update(range(place + unit, place + unit * times))
            place += unit * times
        else:
            place += 1
    return gone


def _longest_run(words: Sequence[str], place: int) -> tuple[int, int]:
    """The shortest unit that repeats from here often enough, and how many times it stands."""
    for unit in range(1, min(LONGEST_UNIT, (len(words) - place) // 2) + 1):
        times = 1
        first = words[place : place + unit]
        while words[place + unit * times : place + unit * (times + 1)] == first:
            times += 1
        if any(first) and times >= LEAST_TIMES.get(unit, LEAST_TIMES_LONGER):
            return unit, times
    return 0, 0
