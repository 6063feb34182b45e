"""Average linkage of unit vectors by cosine distance, in blocks: memory does not grow with n²."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..pyannote.chunks import Floats, Indices

Doubles = npt.NDArray[np.float64]

BLOCK = 800  # vectors linked at once: their distances take 5 MB
_FINER = 0.1  # above the bar, within a block: what is left is linked with the other blocks'
_TOO_MANY = 0.9  # of the points are left after a round
_LEAST_MASS = 0.1


@dataclass(frozen=True)
class Rivals:
    """Pairs of voices that were heard side by side, as two speakers, in one window (m, 2).

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


@dataclass(frozen=True)
class Bar:
    """How like two clusters must be to be one, by how much is known of them.

    own: the mean cosine of two pieces of one voice in this recording: noise and a telephone make
        all voices more alike, so that likeness is a share of it.
    low, high: that share, for clusters of no length and of `full_seconds` or more: of little speech
        not much is known, and a wide miss is no reason for another speaker.
    """

    own: float
    low: float
    high: float
    full_seconds: float

    def of(self, seconds: Doubles) -> Doubles:
        """The share, where the smaller cluster has so many seconds."""
        return self.low + (self.high - self.low) * np.minimum(1, seconds / self.full_seconds)

    def raised(self, by: float) -> "Bar":
        """The same, harder to reach."""
        return replace(self, low=self.low + by, high=self.high + by)


def link(means: Floats, seconds: Doubles, bar: Bar, rivals: Rivals) -> Indices:
    """A cluster for each mean of unit vectors, 0, 1, …: those that reach the bar are one.

    More than BLOCK are linked block by block, as far as is beyond doubt, and what that leaves is
    linked again, until it fits into one block.
    """
    labels = np.arange(len(means))
    points, mass = means.astype(np.float64), np.maximum(seconds.astype(np.float64), _LEAST_MASS)
    counts, finer = np.ones(len(points)), bar.raised(_FINER)
    while len(points) > BLOCK:
        parts, offset = [], 0
        for low in range(0, len(points), BLOCK):
            rows = slice(low, low + BLOCK)
            near = rivals.within(low, low + BLOCK)
            part = _linked(points[rows], mass[rows], counts[rows], finer, near)
            parts.append(part + offset)
            offset += part.max() + 1
        found = np.concatenate(parts)
        if offset > _TOO_MANY * len(points):
            finer = finer.raised(-_FINER)  # else it would go on for ever
        labels = found[labels]
        points, mass = _means(points, mass, found)
        counts = np.bincount(found, counts)
        rivals = Rivals(found[rivals.pairs], rivals.penalty)
    return _linked(points, mass, counts, bar, rivals)[labels]


def centroids_of(vectors: Floats, weights: Doubles, labels: Indices, count: int) -> Floats:
    """The mean direction of each cluster, of unit length (count, d); 0 where one is empty."""
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, labels, vectors * weights[:, None])
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.maximum(length, 1e-9)).astype(np.float32)


def means_of(vectors: Floats, weights: Doubles, labels: Indices, count: int) -> Floats:
    """The mean of each cluster's unit vectors (count, d): the shorter, the less they agree."""
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, labels, vectors * weights[:, None])
    return (sums / np.bincount(labels, weights, minlength=count)[:, None]).astype(np.float32)


def _means(points: Doubles, mass: Doubles, labels: Indices) -> tuple[Doubles, Doubles]:
    count = int(labels.max()) + 1
    sums = np.zeros((count, points.shape[1]))
    np.add.at(sums, labels, points * mass[:, None])
    total = np.bincount(labels, mass, minlength=count)
    return sums / total[:, None], total


def _linked(points: Doubles, mass: Doubles, counts: Doubles, bar: Bar, rivals: Rivals) -> Indices:
    """Merge the two that are furthest above their bar, until none is above it.

    The mean cosine between the members of two clusters is the product of their means, so that no
    linkage of n² distances is recomputed. Each row keeps its nearest.
    """
    count = len(points)
    means, mass, counts = points.copy(), mass.copy(), counts.copy()
    between = rivals.between(np.arange(count), count)

    def missing(i: Indices | int) -> Doubles:
        """By how much others fail to reach the bar with cluster i; below 0 they are above it."""
        rival = rivals.penalty * between[i] / np.minimum(counts, counts[i])
        return bar.of(np.minimum(mass, mass[i])) - means @ means[i] / bar.own + rival

    far = np.stack([missing(i) for i in range(count)])
    np.fill_diagonal(far, np.inf)
    labels = np.arange(count)
    nearest = far.argmin(1)
    least = far[np.arange(count), nearest]
    for _ in range(count - 1):
        i = int(least.argmin())
        j = int(nearest[i])
        if not least[i] < 0:
            break
        means[i] = (means[i] * mass[i] + means[j] * mass[j]) / (mass[i] + mass[j])
        mass[i] += mass[j]
        counts[i] += counts[j]
        between[i] += between[j]
        between[:, i] += between[:, j]
        labels[labels == j] = i
        row = np.where(np.isinf(far[i]), np.inf, missing(i))
        row[[i, j]] = np.inf
        far[i], far[:, i] = row, row
        far[j], far[:, j] = np.inf, np.inf
        least[j] = np.inf
        stale = np.flatnonzero(((nearest == i) | (nearest == j)) & np.isfinite(least))
        stale = np.union1d(stale, [i])
        nearest[stale] = far[stale].argmin(1)
        least[stale] = far[stale, nearest[stale]]
        closer = row < least
        nearest[closer], least[closer] = i, row[closer]
    return np.unique(labels, return_inverse=True)[1]
