"""Average linkage of unit vectors by cosine distance, in blocks, to bound the memory."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..chunks import Floats, Indices

Doubles = npt.NDArray[np.float64]

BLOCK = 800  # vectors linked together: their distances take 5 MB
_FINER = 0.1  # added to the threshold within a block; the rest is linked across blocks
_TOO_MANY = 0.9  # of the points remain after a round
_LEAST_MASS = 0.1


@dataclass(frozen=True)
class Rivals:
    """Pairs of voices that appeared side by side, as two speakers, in one window (m, 2).

    penalty: added to the distance of two clusters, times the share of the smaller one with a rival
        in the other: people who alternate are different, however similar on the telephone.
    """

    pairs: Indices
    penalty: float

    def between(self, labels: Indices, count: int) -> Doubles:
        """The number of pairs between any two clusters (count, count)."""
        found = np.zeros((count, count))
        one, other = labels[self.pairs].T
        np.add.at(found, (one, other), 1.0)
        np.add.at(found, (other, one), 1.0)
        return found

    def within(self, low: int, high: int) -> "Rivals":
        """The pairs among the vectors from `low` to `high`."""
        inside = ((self.pairs >= low) & (self.pairs < high)).all(1)
        return Rivals(self.pairs[inside] - low, self.penalty)


@dataclass(frozen=True)
class Bar:
    """The similarity threshold for merging two clusters, by their amount of speech.

    own: the mean cosine of two pieces of one voice in this recording. Noise and telephones make all
        voices more similar, so thresholds are fractions of it.
    low, high: that fraction for clusters without length, and for `full_seconds` or more: little
        speech is unreliable, so its low similarity does not prove another speaker.
    """

    own: float
    low: float
    high: float
    full_seconds: float

    def of(self, seconds: Doubles) -> Doubles:
        """The fraction for a smaller cluster of `seconds`."""
        return self.low + (self.high - self.low) * np.minimum(1, seconds / self.full_seconds)

    def raised(self, by: float) -> "Bar":
        """The threshold, raised by `by`."""
        return replace(self, low=self.low + by, high=self.high + by)


def link(means: Floats, seconds: Doubles, bar: Bar, rivals: Rivals) -> Indices:
    """A cluster number 0, 1, … for each mean of unit vectors, merging pairs above the threshold.

    More than BLOCK vectors are linked block by block at a higher threshold, repeatedly, until the
    rest fits into one block.
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
            finer = finer.raised(-_FINER)  # otherwise it would never end
        labels = found[labels]
        points, mass = _means(points, mass, found)
        counts = np.bincount(found, counts)
        rivals = Rivals(found[rivals.pairs], rivals.penalty)
    return _linked(points, mass, counts, bar, rivals)[labels]


def centroids_of(vectors: Floats, weights: Doubles, labels: Indices, count: int) -> Floats:
    """The mean direction of each cluster as unit vectors (count, d); 0 for empty clusters."""
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, labels, vectors * weights[:, None])
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.maximum(length, 1e-9)).astype(np.float32)


def means_of(vectors: Floats, weights: Doubles, labels: Indices, count: int) -> Floats:
    """The mean of each cluster's unit vectors (count, d); its length shows their agreement."""
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
    """Merge the pair farthest above its threshold, until none is above it."""
    clusters = _Clusters(points, mass, counts, bar, rivals)
    labels = np.arange(len(points))
    while (pair := clusters.nearest_pair()) is not None:
        kept, merged = pair
        clusters.merge(kept, merged)
        labels[labels == merged] = kept
    return np.unique(labels, return_inverse=True)[1]


class _Clusters:
    """How far each pair of clusters is below its threshold; negative: above it.

    The mean cosine between the members of two clusters is the product of their means, so that no
    linkage of n² distances is recomputed. Each row keeps its nearest.
    """

    def __init__(
        self, points: Doubles, mass: Doubles, counts: Doubles, bar: Bar, rivals: Rivals
    ) -> None:
        count = len(points)
        self._means, self._mass, self._counts = points.copy(), mass.copy(), counts.copy()
        self._bar, self._penalty = bar, rivals.penalty
        self._between = rivals.between(np.arange(count), count)
        self._missing = np.stack([self._missing_of(i) for i in range(count)])
        np.fill_diagonal(self._missing, np.inf)
        self._nearest = self._missing.argmin(1)
        self._least = self._missing[np.arange(count), self._nearest]

    def nearest_pair(self) -> tuple[int, int] | None:
        """The pair farthest above its threshold; None if there is none."""
        i = int(self._least.argmin())
        return (i, int(self._nearest[i])) if self._least[i] < 0 else None

    def merge(self, i: int, j: int) -> None:
        """Merge cluster j into cluster i."""
        self._add(i, j)
        row = np.where(np.isinf(self._missing[i]), np.inf, self._missing_of(i))
        row[[i, j]] = np.inf
        self._missing[i], self._missing[:, i] = row, row
        self._missing[j], self._missing[:, j] = np.inf, np.inf
        self._least[j] = np.inf
        self._find_nearest(i, j, row)

    def _missing_of(self, i: int) -> Doubles:
        rival = self._penalty * self._between[i] / np.minimum(self._counts, self._counts[i])
        share = self._bar.of(np.minimum(self._mass, self._mass[i]))
        return share - self._means @ self._means[i] / self._bar.own + rival

    def _add(self, i: int, j: int) -> None:
        mass, means = self._mass, self._means
        means[i] = (means[i] * mass[i] + means[j] * mass[j]) / (mass[i] + mass[j])
        mass[i] += mass[j]
        self._counts[i] += self._counts[j]
        self._between[i] += self._between[j]
        self._between[:, i] += self._between[:, j]

    def _find_nearest(self, i: int, j: int, row: Doubles) -> None:
        """Update the nearest cluster of those whose nearest was i or j, or now is i."""
        nearest, least = self._nearest, self._least
        stale = np.flatnonzero(((nearest == i) | (nearest == j)) & np.isfinite(least))
        stale = np.union1d(stale, [i])
        nearest[stale] = self._missing[stale].argmin(1)
        least[stale] = self._missing[stale, nearest[stale]]
        closer = row < least
        nearest[closer], least[closer] = i, row[closer]
