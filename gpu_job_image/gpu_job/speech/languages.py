"""In which language a recording is: asked of windows all over it, never of its start alone."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .windows import Window

VOTERS = 8  # windows that vote on one language for all, at most: each costs a run of the encoder
WINDOWS_A_VOTER = 12  # so that the votes cost some hundredths of what is to be heard
LEAST_WINDOWS = 2  # for each of the first two voters
SURE = 0.8  # a single window between two of another language is believed from here on
LEAST = 0.5  # below it a window follows its neighbours
LEAST_SHARE = 0.3  # of what is surely speech in a candidate, 0.76 and more was given to candidates
_SPREAD = 5  # languages that a window votes for, where all are candidates


@dataclass(frozen=True)
class Guess:
    """The language of one window, and the model's probability of it, among the candidates.

    spread: candidates with what the model says of them, the likeliest first; by it a window votes.
    share: what it says of all candidates together. heard: what it would be without candidates.
    """

    language: str
    probability: float
    spread: tuple[tuple[str, float], ...] = ()
    share: float = 1.0
    heard: tuple[str, float] = ("", 0.0)

    @property
    def weights(self) -> tuple[tuple[str, float], ...]:
        """By which it votes."""
        return self.spread or ((self.language, self.probability),)


def guess_of(probabilities: Sequence[tuple[str, float]], candidates: Sequence[str]) -> Guess:
    """From what the model says of all its languages; candidates that it does not know are none."""
    ranked = sorted(probabilities, key=lambda each: -each[1])
    among = tuple((language, p) for language, p in ranked if language in candidates)
    if not among:
        return Guess(*ranked[0], spread=tuple(ranked[:_SPREAD]), heard=ranked[0])
    share = sum(p for _, p in among)
    # a window of noise or music, which is no candidate's, is not made sure by leaving out the rest
    probability = among[0][1] / max(share, LEAST_SHARE)
    return Guess(among[0][0], probability, among, share, ranked[0])


def voters(windows: Sequence[Window], most: int = VOTERS) -> list[int]:
    """The longest window of each of up to `most` equal parts of the recording."""
    count = min(most, len(windows))
    edges = [len(windows) * part // count for part in range(count + 1)] if count else []
    return [
        max(range(low, high), key=lambda i: windows[i].length_ms)
        for low, high in itertools.pairwise(edges)
    ]


def few(windows: Sequence[Window]) -> int:
    """How many windows need to be asked at first; all VOTERS where these are not sure.

    Of a recording of minutes two: one window may be a greeting, or a song.
    """
    least = min(2, len(windows) // LEAST_WINDOWS)
    return min(VOTERS, max(1, least, -(-len(windows) // WINDOWS_A_VOTER)))


def vote(
    guesses: Sequence[Guess], lengths_ms: Sequence[int], *, among_candidates: bool = False
) -> tuple[str, float]:
    """The language with the most probability by time, and its share of it; ("", 0) of none.

    Windows that are unsure vote for each language as much as they believe in it. Among candidates
    the share is that of all that was given to candidates, so that noise counts for nothing.

    Three minutes of an English opening weigh three minutes against forty of German.
    """
    weights: defaultdict[str, float] = defaultdict(float)
    for guess, length_ms in zip(guesses, lengths_ms, strict=True):
        for language, probability in guess.weights:
            weights[language] += probability * length_ms
    if not weights:
        return "", 0.0
    best = max(weights, key=lambda language: weights[language])
    whole = sum(weights.values()) if among_candidates else max(sum(lengths_ms), 1)
    return best, weights[best] / max(whole, 1e-9)


def smoothed(guesses: Sequence[Guess]) -> tuple[str, ...]:
    """A language for each window: the unsure follow the window before, or the next sure one.

    A window that stands alone among others of one language needs a probability of SURE.
    """
    sure = [guess.language if guess.probability >= LEAST else "" for guess in guesses]
    for i in range(1, len(guesses) - 1):
        before, after = sure[i - 1], sure[i + 1]
        if before == after != sure[i] and guesses[i].probability < SURE:
            sure[i] = before
    for i in range(1, len(sure)):
        sure[i] = sure[i] or sure[i - 1]
    first = next(filter(None, sure), vote(guesses, [1] * len(guesses))[0])
    return tuple(language or first for language in sure)
