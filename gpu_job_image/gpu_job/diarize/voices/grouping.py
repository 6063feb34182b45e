"""Which voices are whose: clusters of voiceprints, the number of speakers found or given."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...contract import Speakers
from ..pyannote.chunks import Floats, Indices
from .hearing import Voices
from .linkage import Rivals, centroids_of, link

NOBODY = -2  # by pyannote's number

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """What makes two voices one.

    apart: mean cosine distance at which two clusters stay apart.
    clear_seconds: alone, for a voice to found a cluster; the others join one.
    least_seconds: of all clear voices of a speaker; who says less is one of the others.
    same: cosine distance of two speakers' centroids below which they are one.
    rivalry: added to the distance of voices that were heard side by side (`Rivals`).
    rounds: of giving each voice to the nearest centroid and taking the centroids anew.
    """

    apart: float = 0.6
    clear_seconds: float = 1.0
    least_seconds: float = 1.0
    same: float = 0.3
    rounds: int = 2
    rivalry: float = 0.5


@dataclass(frozen=True)
class Grouped:
    """The speaker of each voice (n,), and their unit centroids (speakers, 192)."""

    speaker: Indices
    centroids: Floats


def group(voices: Voices, speakers: Speakers, step_share: float, rules: Rules) -> Grouped:
    """The speakers of a recording.

    Args:
        voices: One for each speaker of each window.
        speakers: How many, as far as somebody knows.
        step_share: The part of a window's speech that no other window has: step / window.
        rules: What makes two voices one.
    """
    clear = np.flatnonzero(voices.alone_seconds >= rules.clear_seconds)
    if len(clear) == 0:
        clear = np.arange(len(voices.vectors))
    vectors = voices.vectors[clear]
    seconds = np.maximum(voices.alone_seconds[clear], 0.1) * step_share
    rivals = Rivals(_side_by_side(voices.window[clear]), rules.rivalry)
    centroids = _centroids(vectors, seconds, rivals, speakers, rules)
    for _ in range(rules.rounds):
        own = np.argmax(vectors @ centroids.T, axis=1)
        centroids = centroids_of(vectors, seconds, own, len(centroids))
    similarity = voices.vectors @ centroids.T
    return Grouped(_one_each(voices.window, similarity), centroids)


def _side_by_side(window: Indices) -> Indices:
    """The pairs of voices of one window, of which there are three at most (m, 2)."""
    rows = np.arange(len(window))
    found = [
        np.stack([rows[:-apart], rows[apart:]], 1)[window[:-apart] == window[apart:]]
        for apart in (1, 2)
        if len(window) > apart
    ]
    return np.concatenate([*found, np.zeros((0, 2), np.intp)])


def _centroids(
    vectors: Floats, seconds: Doubles, rivals: Rivals, speakers: Speakers, rules: Rules
) -> Floats:
    wanted = speakers.exact or speakers.minimum or 1
    most = speakers.exact or speakers.maximum
    apart = rules.apart
    while True:
        labels = link(vectors, seconds, apart, rivals)
        spoken = np.bincount(labels, seconds)
        kept = np.flatnonzero(spoken >= rules.least_seconds)
        if len(kept) < wanted:
            kept = np.argsort(-spoken)[: max(wanted, 1)]
        if len(kept) >= wanted or apart < 0.05:  # noqa: PLR2004  # nothing finer is a voice
            break
        apart *= 0.85
    centroids = centroids_of(vectors, seconds, labels, len(spoken))[kept]
    spoken = spoken[kept]
    while len(centroids) > wanted:
        likeness = centroids @ centroids.T - 2 * np.eye(len(centroids))
        i, j = np.unravel_index(np.argmax(likeness), likeness.shape)
        if 1 - likeness[i, j] >= rules.same and not (most and len(centroids) > most):
            break
        both = centroids[i] * spoken[i] + centroids[j] * spoken[j]
        centroids[i], spoken[i] = both / np.linalg.norm(both), spoken[i] + spoken[j]
        centroids, spoken = np.delete(centroids, j, 0), np.delete(spoken, j)
    return centroids


def _one_each(window: Indices, similarity: Floats) -> Indices:
    """The nearest speaker of each voice, no two voices of one window the same, nearest first."""
    result = np.full(len(window), NOBODY)
    edges = np.flatnonzero(np.diff(window)) + 1
    for rows in np.split(np.arange(len(window)), edges):
        left = similarity[rows].copy()
        for _ in range(min(left.shape)):
            voice, speaker = np.unravel_index(np.argmax(left), left.shape)
            result[rows[voice]] = speaker
            left[voice], left[:, speaker] = -np.inf, -np.inf
    return result
