"""Decides the language of a recording from windows all over it, not only from its start."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .windows import Window

VOTERS = 8  # at most so many windows vote: each costs a run of the encoder
WINDOWS_A_VOTER = 12  # windows per voter, so that voting costs a few percent of decoding
LEAST_WINDOWS = 2  # per voter, for the first two voters
SURE = 0.8  # needed by a single window between two of another language
LEAST = 0.5  # below it, a window follows its neighbors
LEAST_SHARE = 0.3  # real speech in a candidate language gives candidates 0.76 or more
_SPREAD = 5  # languages that a window votes for, without candidates


@dataclass(frozen=True)
class Guess:
    """The language of one window and its probability, among the candidates.

    spread: the candidates' probabilities, the most likely first; the window votes with them.
    share: total probability of all candidates. heard: the most likely of all languages.
    """

    language: str
    probability: float
    spread: tuple[tuple[str, float], ...] = ()
    share: float = 1.0
    heard: tuple[str, float] = ("", 0.0)

    @property
    def weights(self) -> tuple[tuple[str, float], ...]:
        """The votes of the window: languages with weights."""
        return self.spread or ((self.language, self.probability),)


def guess_of(probabilities: Sequence[tuple[str, float]], candidates: Sequence[str]) -> Guess:
    """The guess from the probabilities of all languages; unknown candidates are ignored."""
    ranked = sorted(probabilities, key=lambda each: -each[1])
    among = tuple((language, p) for language, p in ranked if language in candidates)
    if not among:
        return Guess(*ranked[0], spread=tuple(ranked[:_SPREAD]), heard=ranked[0])
    share = sum(p for _, p in among)
    # normalizing must not make a window of noise or music certain
    probability = among[0][1] / max(share, LEAST_SHARE)
    return Guess(among[0][0], probability, among, share, ranked[0])


def voters(windows: Sequence[Window], most: int = VOTERS) -> list[int]:
    """Indices of the longest window in each of up to `most` equal parts of the recording."""
    count = min(most, len(windows))
    edges = [len(windows) * part // count for part in range(count + 1)] if count else []
    return [
        max(range(low, high), key=lambda i: windows[i].length_ms)
        for low, high in itertools.pairwise(edges)
    ]


def initial_voters(windows: Sequence[Window]) -> int:
    """How many windows vote first; all VOTERS do if these are not certain.

    At least two for a recording of minutes: a single window may be a greeting or a song.
    """
    least = min(2, len(windows) // LEAST_WINDOWS)
    return min(VOTERS, max(1, least, -(-len(windows) // WINDOWS_A_VOTER)))


def vote(
    guesses: Sequence[Guess], lengths_ms: Sequence[int], *, among_candidates: bool = False
) -> tuple[str, float]:
    """The language with the most probability weighted by time, and its share; ("", 0) for none.

    Uncertain windows split their vote by probability. With candidates, the share is relative to the
    total of the candidates, so that noise does not count.

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
    """A language for each window: uncertain ones follow the previous, or the next certain one.

    A single window between two of another language needs a probability of SURE.
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
