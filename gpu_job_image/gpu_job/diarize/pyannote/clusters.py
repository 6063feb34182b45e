"""pyannote's clustering of a bounded number of embeddings."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..chunks import Floats, Indices
from .inference import Voices
from .sampling import spread
from .vbx import Prior, speakers_of

if TYPE_CHECKING:
    from pyannote.audio.pipelines.clustering import (
        AgglomerativeClustering,
        BaseClustering,
        VBxClustering,
    )

MOST_CLUSTERED = 12_000  # the linkage of n takes 8 n² bytes: 1.2 GB; of 58,000: 27 GB
NO_SPEAKER = -2  # pyannote's number for: no speaker
_ROWS_AT_ONCE = 8192

Check = Callable[[], None]


@dataclass(frozen=True)
class SpeakerCount:
    """The number of speakers; `exact` is None if unknown."""

    exact: int | None
    minimum: int
    maximum: float


@dataclass(frozen=True)
class Assigned:
    """The speaker of each voice, or NO_SPEAKER (voices,); their centroids (speakers, dimension)."""

    speaker: Indices
    centroids: Floats


def assign(
    clustering: "BaseClustering",
    voices: Voices,
    wanted: SpeakerCount,
    check: Check,
    most: int = MOST_CLUSTERED,
) -> Assigned:
    """The speakers of a recording, as `clustering` finds them among at most `most` embeddings.

    With fewer, the result equals pyannote's. With more, the linkage uses a sample (`spread`); all
    others join the nearest centroid, as every embedding does at the end in pyannote.

    Args:
        clustering: VBx (community-1) or agglomerative (3.1), with its thresholds.
        voices: One vector for each active speaker of a chunk.
        wanted: The known number of speakers, or bounds on it.
        check: Called before each slice.
        most: Maximum number of embeddings in the linkage.
    """
    vectors = voices.vectors[voices.clear]
    if hasattr(clustering, "plda"):
        centroids, constrained = _vbx_centroids(clustering, vectors, wanted, check, most)
    else:
        centroids = _linked_centroids(clustering, vectors, wanted, most)
        constrained = clustering.constrained_assignment
    check()
    similarity = _similarity(voices.vectors, centroids, check)
    speaker = _one_each(voices.chunk, similarity) if constrained else similarity.argmax(1)
    return Assigned(speaker, centroids)


def _linked_centroids(
    clustering: "AgglomerativeClustering", vectors: Floats, wanted: SpeakerCount, most: int
) -> Floats:
    exact, least, greatest = clustering.set_num_clusters(
        len(vectors), wanted.exact, wanted.minimum, wanted.maximum
    )
    if greatest < 2:  # noqa: PLR2004  # nothing to tell apart
        return _mean(vectors)
    chosen = vectors[spread(len(vectors), most)]
    with _smaller_clusters(clustering, len(chosen) / len(vectors)):
        # a copy: pyannote normalizes them in place
        labels = clustering.cluster(chosen.copy(), least, greatest, exact)
    return np.stack([chosen[labels == label].mean(0) for label in range(labels.max() + 1)])


@contextlib.contextmanager
def _smaller_clusters(clustering: "AgglomerativeClustering", share: float) -> Iterator[None]:
    """Scale the minimum cluster size: a cluster of 12 has about 12 times `share` in a sample."""
    whole = clustering.min_cluster_size
    clustering.min_cluster_size = max(1, round(whole * share))
    try:
        yield
    finally:
        clustering.min_cluster_size = whole


def _vbx_centroids(
    clustering: "VBxClustering", vectors: Floats, wanted: SpeakerCount, check: Check, most: int
) -> tuple[Floats, bool]:
    """Centroids, and whether all speakers of a chunk must differ."""
    if len(vectors) < 2:  # noqa: PLR2004  # nothing to tell apart
        return _mean(vectors), False
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first = _first_clusters(unit, clustering.threshold, check, most)
    check()
    features = clustering.plda(vectors)
    prior = Prior(clustering.plda.phi, clustering.Fa, clustering.Fb)
    found = speakers_of(first, features, vectors, prior, check)
    count = len(found.weight)
    number = min(max(count, wanted.minimum), wanted.maximum, len(vectors))
    if number != count:
        return _k_means(unit, vectors, int(number)), False
    return found.total / found.weight[:, None], clustering.constrained_assignment


def _first_clusters(unit: Floats, threshold: float, check: Check, most: int) -> Indices:
    """Initial clusters as in pyannote: centroid linkage, cut at the threshold."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415

    chosen = spread(len(unit), most)
    cut = fcluster(linkage(unit[chosen], method="centroid"), threshold, criterion="distance")
    labels = np.unique(cut, return_inverse=True)[1]
    if len(chosen) == len(unit):
        return labels
    check()
    centroids = np.zeros((labels.max() + 1, unit.shape[1]), np.float32)
    np.add.at(centroids, labels, unit[chosen])
    return _similarity(unit, centroids, check).argmax(1)


def _k_means(unit: Floats, vectors: Floats, count: int) -> Floats:
    """As pyannote does if VBx found another number of speakers than requested."""
    from sklearn.cluster import KMeans  # noqa: PLC0415

    means = KMeans(n_clusters=count, n_init=3, random_state=42)
    labels = means.fit_predict(unit)
    return np.stack([vectors[labels == label].mean(0) for label in range(count)])


def _similarity(vectors: Floats, centroids: npt.ArrayLike, check: Check) -> Floats:
    """2 minus the cosine distance, (vectors, centroids); 0 for NaN."""
    from scipy.spatial.distance import cdist  # noqa: PLC0415

    result = np.empty((len(vectors), len(np.asarray(centroids))))
    for low in range(0, len(vectors), _ROWS_AT_ONCE):
        check()
        rows = slice(low, low + _ROWS_AT_ONCE)
        result[rows] = 2 - cdist(vectors[rows], centroids, metric="cosine")
    return np.nan_to_num(result, nan=0.0)


def _one_each(chunk: Indices, similarity: Floats) -> Indices:
    """The best distinct speakers of each chunk's voices."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    result = np.full(len(chunk), NO_SPEAKER)
    edges = np.flatnonzero(np.diff(chunk)) + 1
    for rows in np.split(np.arange(len(chunk)), edges):
        voices, speakers = linear_sum_assignment(similarity[rows], maximize=True)
        result[rows[voices]] = speakers
    return result


def _mean(vectors: Floats) -> Floats:
    if len(vectors) == 0:
        return np.zeros((1, vectors.shape[1]), np.float32)
    return vectors.mean(0, keepdims=True)
