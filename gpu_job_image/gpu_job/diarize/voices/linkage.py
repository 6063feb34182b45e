"""Average linkage of unit vectors by cosine distance, in blocks: memory does not grow with n²."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..pyannote.chunks import Floats, Indices

Doubles = npt.NDArray[np.float64]

BLOCK = 1500  # vectors linked at once: their distances take 18 MB
_FINER = 0.8  # of the threshold, within a block: what is left is linked with the other blocks'


@dataclass(frozen=True)
class Rivals:
    """Pairs of vectors that were heard side by side, as two speakers, in one window (m, 2).

    penalty: added to the distance of two clusters, by the share of the smaller one that has a rival
        in the other: two who speak in turns are two, however alike they sound on the telephone.
    """

    pairs: Indices
    penalty: float

    def between(self, labels: Indices, count: int) -> Doubles:
        """How many pairs there are between any two clusters (count, count)."""
        found = np.zeros((count, count))
        one, other = labels[self.pairs].T
        np.add.at(found, (one, other), 1.0)
        np.add.at(found, (other, one), 1.0)
        return found

    def within(self, low: int, high: int) -> "Rivals":
        """Those among the vectors from `low` to `high`."""
        inside = ((self.pairs >= low) & (self.pairs < high)).all(1)
        return Rivals(self.pairs[inside] - low, self.penalty)


def link(vectors: Floats, weights: Doubles, apart: float, rivals: Rivals) -> Indices:
    """A cluster for each vector, 0, 1, …: those nearer than `apart` in the mean are one.

    More than BLOCK vectors are linked block by block, as far as is beyond doubt, and what that
    leaves is linked again, until it fits into one block.
    """
    labels = np.arange(len(vectors))
    points, mass = vectors.astype(np.float64), weights.astype(np.float64)
    counts, finer = np.ones(len(points)), _FINER * apart
    while len(points) > BLOCK:
        parts, offset = [], 0
        for low in range(0, len(points), BLOCK):
            rows = slice(low, low + BLOCK)
            near = rivals.within(low, low + BLOCK)
            part = _linked(points[rows], mass[rows], counts[rows], finer, near)
            parts.append(part + offset)
            offset += part.max() + 1
        found = np.concatenate(parts)
        if offset > 0.9 * len(points):  # else it might go on for ever
            finer = apart = apart * 1.1
        labels = found[labels]
        points, mass = _means(points, mass, found)
        counts = np.bincount(found, counts)
        rivals = Rivals(found[rivals.pairs], rivals.penalty)
    return _linked(points, mass, counts, apart, rivals)[labels]


def centroids_of(vectors: Floats, weights: Doubles, labels: Indices, count: int) -> Floats:
    """The mean direction of each cluster, of unit length (count, d); none is empty, or it is 0."""
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, labels, vectors * weights[:, None])
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.maximum(length, 1e-9)).astype(np.float32)


def _means(points: Doubles, mass: Doubles, labels: Indices) -> tuple[Doubles, Doubles]:
    count = int(labels.max()) + 1
    sums = np.zeros((count, points.shape[1]))
    np.add.at(sums, labels, points * mass[:, None])
    total = np.bincount(labels, mass, minlength=count)
    return sums / total[:, None], total


def _linked(
    points: Doubles, mass: Doubles, counts: Doubles, apart: float, rivals: Rivals
) -> Indices:
    """Merge the two nearest until none are nearer than `apart`.

    The mean distance between the members of two clusters of unit vectors is one less the product
    of their means, so that no linkage of n² distances is recomputed. A row keeps its nearest.
    """
    count = len(points)
    means, mass, counts = points.copy(), mass.copy(), counts.copy()
    between = rivals.between(np.arange(count), count)
    penalty = rivals.penalty
    distances = 1 - means @ means.T + penalty * between / np.minimum.outer(counts, counts)
    np.fill_diagonal(distances, np.inf)
    labels = np.arange(count)
    nearest = distances.argmin(1)
    least = distances[np.arange(count), nearest]
    for _ in range(count - 1):
        i = int(least.argmin())
        j = int(nearest[i])
        if not least[i] < apart:
            break
        means[i] = (means[i] * mass[i] + means[j] * mass[j]) / (mass[i] + mass[j])
        mass[i] += mass[j]
        counts[i] += counts[j]
        between[i] += between[j]
        between[:, i] += between[:, j]
        labels[labels == j] = i
        row = 1 - means @ means[i] + penalty * between[i] / np.minimum(counts, counts[i])
        row[np.isinf(distances[i])] = np.inf
        row[[i, j]] = np.inf
        distances[i], distances[:, i] = row, row
        distances[j], distances[:, j] = np.inf, np.inf
        least[j] = np.inf
        stale = np.flatnonzero(((nearest == i) | (nearest == j)) & np.isfinite(least))
        stale = np.union1d(stale, [i])
        nearest[stale] = distances[stale].argmin(1)
        least[stale] = distances[stale, nearest[stale]]
        closer = row < least
        nearest[closer], least[closer] = i, row[closer]
    return np.unique(labels, return_inverse=True)[1]
