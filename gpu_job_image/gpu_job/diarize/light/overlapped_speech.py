"""Overlapping speech: two concurrent voices are two people, however similar they sound."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..chunks import Floats, Indices
from .inference import SAMPLE_RATE_HZ, Heard, Pieces, runs_of

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OverlappedVoices:
    """Pairs of overlapping pieces, or voices, of two speakers of one window (m, 2).

    seconds: duration of the overlap (m,).
    """

    pairs: Indices
    seconds: Doubles

    @classmethod
    def never(cls) -> "OverlappedVoices":
        """No overlapping speech."""
        return cls(np.zeros((0, 2), np.intp), np.zeros(0))

    def of_voices(self, voice: Indices, least_seconds: float) -> "OverlappedVoices":
        """The pairs by voice instead of piece, with at least `least_seconds` in total."""
        pairs = np.sort(voice[self.pairs], axis=1)
        apart = pairs[:, 0] != pairs[:, 1]
        unique, row = np.unique(pairs[apart], axis=0, return_inverse=True)
        seconds = np.bincount(row.ravel(), self.seconds[apart], minlength=len(unique))
        long = seconds >= least_seconds
        return OverlappedVoices(unique.reshape(-1, 2)[long], seconds[long])


def heard_at_once(heard: list[Heard], pieces: Pieces) -> OverlappedVoices:
    """For each overlap of two speakers, the nearest piece of each."""
    pairs: list[tuple[int, int]] = []
    seconds: list[float] = []
    edges = np.searchsorted(pieces.window, np.arange(len(heard) + 1)).tolist()
    for part, first, last in zip(heard, edges, edges[1:], strict=False):
        rows = np.arange(first, last)
        middle = (pieces.low[rows] + pieces.high[rows]) / 2
        both = part.sure.astype(bool)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            own = [rows[pieces.speaker[rows] == each] for each in (one, other)]
            if not len(own[0]) or not len(own[1]):
                continue
            for low, high in runs_of(both[:, one] & both[:, other]):
                far = [np.abs(middle[each - first] - (low + high) / 2) for each in own]
                near = [int(each[away.argmin()]) for each, away in zip(own, far, strict=True)]
                pairs.append((near[0], near[1]))
                seconds.append((high - low) * part.frame_samples / SAMPLE_RATE_HZ)
    return OverlappedVoices(np.array(pairs, np.intp).reshape(-1, 2), np.array(seconds))


@dataclass(frozen=True)
class SpeakerLimits:
    """Similarity limits (cosines) for voices that overlap with another.

    other: minimum for another speaker than the nearest, if the voice overlaps with the nearest.
    stranger: below it, a voice resembles no speaker and may be a new one.
    seconds: minimum overlap of such voices with others, for a new speaker.
    most: the maximum number of speakers, if known.
    """

    other: float
    stranger: float
    seconds: float
    most: int | None = None


def with_strangers(
    means: Floats,
    alone: Doubles,
    centroids: Floats,
    together: OverlappedVoices,
    limits: SpeakerLimits,
) -> tuple[Indices, Floats]:
    """The speaker of each voice, never the same for overlapping voices, and all centroids.

    Args:
        means: of each voice's unit vectors (n, d).
        alone: seconds of solo speech of each voice (n,).
        centroids: unit vectors (speakers, d); one is added if there are strangers.
        together: pairs of overlapping voices.
        limits: of similarity.
    """
    alike = means @ centroids.T
    near = alike.argmax(1)
    full = limits.most is not None and len(centroids) >= limits.most
    who = _kept_apart(alike, alone, together, -1.0 if full else limits.other)
    odd = np.flatnonzero(who < 0)
    unlike = odd[alike[odd].max(1) < limits.stranger]
    seconds = together.seconds[np.isin(together.pairs, unlike).any(1)].sum()
    if full or not len(unlike) or seconds < limits.seconds:
        who[odd] = near[odd]
        return who, centroids
    who[odd] = len(centroids)
    stranger = means[odd].mean(0, keepdims=True)
    stranger /= np.linalg.norm(stranger)
    return who, np.concatenate([centroids, stranger.astype(np.float32)])


def _kept_apart(alike: Floats, alone: Doubles, together: OverlappedVoices, other: float) -> Indices:
    """The nearest speaker of each voice; of two overlapping voices of one speaker, one moves.

    The voice with less solo speech moves to another speaker, or to -1. Longer overlaps come first.
    """
    result = alike.argmax(1)
    for row in np.argsort(-together.seconds).tolist():
        one, two = together.pairs[row].tolist()
        if result[one] != result[two] or result[one] < 0:
            continue
        moves, stays = (one, two) if alone[one] < alone[two] else (two, one)
        rest = alike[moves].copy()
        rest[result[stays]] = -np.inf
        best = int(rest.argmax())
        result[moves] = best if rest[best] >= other else -1
    return result
