"""Which voices are whose: clusters of voiceprints, the number of speakers found or given."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...contract import Speakers
from ..pyannote.chunks import Floats, Indices
from .hearing import Pieces
from .linkage import Rivals, centroids_of, link

Doubles = npt.NDArray[np.float64]

_FINER, _FINEST = 0.85, 0.05  # of the threshold, where more speakers are asked for than are found


@dataclass(frozen=True)
class Rules:
    """What makes two voices one.

    within: mean cosine distance at which pieces of one speaker of one window are two voices: the
        segmentation does not hear each change of speakers.
    apart: the same for two clusters of voices of the whole recording.
    rivalry: added to the distance of voices that were heard side by side (`Rivals`).
    clear_seconds: alone, for a voice to found a cluster; the others join one.
    least_seconds: of all clear voices of a speaker; who says less is one of the others.
    same: cosine distance of two speakers' centroids below which they are one.
    rounds: of giving each voice to the nearest centroid and taking the centroids anew.
    """

    within: float = 0.55
    apart: float = 0.6
    rivalry: float = 0.4
    clear_seconds: float = 0.6
    least_seconds: float = 1.0
    same: float = 0.2
    rounds: int = 2


@dataclass(frozen=True)
class Grouped:
    """The speaker of each piece (n,), and their unit centroids (speakers, 192)."""

    speaker: Indices
    centroids: Floats


def group(pieces: Pieces, speakers: Speakers, rules: Rules) -> Grouped:
    """The speakers of a recording.

    Args:
        pieces: Stretches of one voice each; at least one.
        speakers: How many, as far as somebody knows.
        rules: What makes two voices one.
    """
    weight = np.maximum(pieces.seconds, 0.1)
    voice = _voices(pieces, weight, rules)
    count = int(voice.max()) + 1
    vectors = centroids_of(pieces.vectors, weight, voice, count)
    seconds = np.bincount(voice, pieces.seconds, minlength=count)
    first = np.unique(voice, return_index=True)[1]
    clear = np.flatnonzero(seconds >= rules.clear_seconds)
    if len(clear) == 0:
        clear = np.arange(count)
    rivals = Rivals(
        _side_by_side(pieces.window[first][clear], pieces.speaker[first][clear]), rules.rivalry
    )
    mass = np.maximum(seconds[clear], 0.1)
    centroids = _centroids(vectors[clear], mass, rivals, speakers, rules)
    for _ in range(rules.rounds):
        own = np.argmax(vectors[clear] @ centroids.T, axis=1)
        anew = centroids_of(vectors[clear], mass, own, len(centroids))
        centroids = np.where(anew.any(1, keepdims=True), anew, centroids)
    return Grouped(np.argmax(vectors @ centroids.T, axis=1)[voice], centroids)


def _voices(pieces: Pieces, weight: Doubles, rules: Rules) -> Indices:
    """A number for each voice of each speaker of each window: mostly one, more where they differ."""
    result = np.zeros(len(weight), np.intp)
    key = pieces.window * 3 + pieces.speaker
    edges = np.flatnonzero(np.diff(key)) + 1
    nobody = Rivals(np.zeros((0, 2), np.intp), 0.0)
    count = 0
    for rows in np.split(np.arange(len(weight)), edges):
        labels = link(pieces.vectors[rows], weight[rows], rules.within, nobody)
        result[rows] = labels + count
        count += int(labels.max()) + 1
    return result


def _side_by_side(window: Indices, speaker: Indices) -> Indices:
    """The pairs of voices of different speakers of one window (m, 2)."""
    rows = np.arange(len(window))
    found = [np.zeros((0, 2), np.intp)]
    for apart in range(1, 7):
        if len(window) <= apart:
            break
        near = (window[:-apart] == window[apart:]) & (speaker[:-apart] != speaker[apart:])
        found.append(np.stack([rows[:-apart], rows[apart:]], 1)[near])
    return np.concatenate(found)


def _centroids(
    vectors: Floats, seconds: Doubles, rivals: Rivals, speakers: Speakers, rules: Rules
) -> Floats:
    wanted = speakers.exact or speakers.minimum or 1
    apart = rules.apart
    while True:
        labels = link(vectors, seconds, apart, rivals)
        spoken = np.bincount(labels, seconds)
        kept = np.flatnonzero(spoken >= rules.least_seconds)
        if len(kept) >= wanted or apart < _FINEST:
            break
        apart *= _FINER
    if len(kept) < wanted:
        kept = np.argsort(-spoken)[:wanted]
    centroids = centroids_of(vectors, seconds, labels, len(spoken))[kept]
    return _merged(centroids, spoken[kept], wanted, speakers.exact or speakers.maximum, rules.same)


def _merged(
    centroids: Floats, spoken: Doubles, wanted: int, most: int | None, same: float
) -> Floats:
    """The two nearest become one, while they are the same or there are too many."""
    while len(centroids) > wanted:
        likeness = centroids @ centroids.T - 2 * np.eye(len(centroids))
        i, j = np.unravel_index(np.argmax(likeness), likeness.shape)
        if 1 - likeness[i, j] >= same and not (most and len(centroids) > most):
            break
        both = centroids[i] * spoken[i] + centroids[j] * spoken[j]
        centroids[i], spoken[i] = both / np.linalg.norm(both), spoken[i] + spoken[j]
        centroids, spoken = np.delete(centroids, j, 0), np.delete(spoken, j)
    return centroids
