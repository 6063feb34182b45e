"""Average-linkage clustering of unit vectors by cosine distance, in blocks for long recordings."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract import Speakers

Vectors = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

BLOCK = 400  # vectors clustered together: the distances of a block take 1.3 MB
THRESHOLD = 0.6  # cosine distance that separates clusters; tuned on the training voices
_FINER = 0.85  # factor on the threshold when more speakers are requested than were found
_FINEST = 0.1
_SURE_SECONDS = 0.6  # shorter windows join a cluster and never start one


@dataclass(frozen=True)
class Windows:
    """Embedded windows: unit vectors (n, d), length and represented speech in seconds (n,)."""

    vectors: Vectors
    length_seconds: npt.NDArray[np.float64]
    share_seconds: npt.NDArray[np.float64]


def speaker_of_each(windows: Windows, speakers: Speakers, least_seconds: float) -> Indices:
    """A speaker number for each window (n,).

    Clusters with less than `least_seconds` are dropped; their windows join the nearest speaker.
    """
    sure = np.flatnonzero(windows.length_seconds >= _SURE_SECONDS)
    clusters = _clusters(windows, sure if len(sure) > 1 else _all(windows), speakers, least_seconds)
    most = speakers.exact or speakers.maximum
    means = _means(windows.vectors, clusters)
    if most and len(clusters) > most:
        weights = np.array([len(cluster) for cluster in clusters], float)
        merged = agglomerate(means, weights=weights, clusters=most)
        clusters = [np.concatenate([clusters[i] for i in group]) for group in groups(merged)]
        means = _means(windows.vectors, clusters)
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    return np.argmax(windows.vectors @ unit.T, axis=1)


def _clusters(
    windows: Windows, chosen: Indices, speakers: Speakers, least_seconds: float
) -> list[Indices]:
    wanted = speakers.exact or speakers.minimum or 1
    threshold = THRESHOLD
    while True:
        found = _in_blocks(windows.vectors, chosen, threshold)
        spoken = [windows.share_seconds[cluster].sum() for cluster in found]
        kept = [c for c, s in zip(found, spoken, strict=True) if s >= least_seconds]
        kept = kept or [found[int(np.argmax(spoken))]]
        if len(kept) >= wanted or threshold < _FINEST:
            return kept
        threshold *= _FINER


def _in_blocks(vectors: Vectors, chosen: Indices, threshold: float) -> list[Indices]:
    blocks = [chosen[i : i + BLOCK] for i in range(0, len(chosen), BLOCK)]
    parts = [
        block[group]
        for block in blocks
        for group in groups(agglomerate(vectors[block], threshold=threshold))
    ]
    weights = np.array([len(part) for part in parts], float)
    top = agglomerate(_means(vectors, parts), weights=weights, threshold=threshold)
    return [np.concatenate([parts[i] for i in group]) for group in groups(top)]


def agglomerate(
    vectors: Vectors,
    *,
    threshold: float = np.inf,
    clusters: int = 1,
    weights: npt.NDArray[np.float64] | None = None,
) -> Indices:
    """Merge the two nearest clusters until `clusters` are left or the nearest are too far apart.

    The mean pairwise distance between two clusters of unit vectors is one less the product of
    their means, so that sums suffice and no linkage of n² distances is recomputed.

    Returns:
        A label for each vector, 0, 1, … (n,).
    """
    sizes = np.ones(len(vectors)) if weights is None else weights.copy()
    sums = vectors.astype(np.float64) * sizes[:, None]
    means = sums / sizes[:, None]
    distances = 1 - means @ means.T
    np.fill_diagonal(distances, np.inf)
    labels = np.arange(len(vectors))
    for _ in range(len(vectors) - clusters):
        i, j = np.unravel_index(np.argmin(distances), distances.shape)
        if distances[i, j] > threshold:
            break
        sums[i] += sums[j]
        sizes[i] += sizes[j]
        labels[labels == j] = i
        gone = np.isinf(distances[i]) & (np.arange(len(vectors)) != i)
        row = 1 - (sums / sizes[:, None]) @ (sums[i] / sizes[i])
        row[gone | (np.arange(len(vectors)) == i)] = np.inf
        distances[i], distances[:, i] = row, row
        distances[j], distances[:, j] = np.inf, np.inf
    return np.unique(labels, return_inverse=True)[1]


def groups(labels: Indices) -> list[Indices]:
    """The indices of each label, in the labels' order."""
    return [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]


def _means(vectors: Vectors, clusters: list[Indices]) -> Vectors:
    return np.stack([vectors[cluster].mean(0) for cluster in clusters])


def _all(windows: Windows) -> Indices:
    return np.arange(len(windows.vectors))
