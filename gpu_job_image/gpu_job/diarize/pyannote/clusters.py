"""Which voices are whose: pyannote's clustering, of a bounded number of embeddings."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .chunks import Floats, Indices
from .hearing import Voices
from .spread import spread
from .vbx import Prior, speakers_of

if TYPE_CHECKING:
    from pyannote.audio.pipelines.clustering import (
        AgglomerativeClustering,
        BaseClustering,
        VBxClustering,
    )

MOST_CLUSTERED = 12_000  # the linkage of n takes 8 n² bytes: 1.2 GB; of 58,000: 27 GB
NOBODY = -2  # who was given no speaker, by pyannote's number
_ROWS_AT_ONCE = 8192

Check = Callable[[], None]


@dataclass(frozen=True)
class Wanted:
    """How many speakers; `exact` is None unless it is known, else minimum and maximum too."""

    exact: int | None
    minimum: int
    maximum: float


@dataclass(frozen=True)
class Assigned:
    """The speaker of each voice, or NOBODY (voices,); their centroids (speakers, dimension)."""

    speaker: Indices
    centroids: Floats


def assign(
    clustering: "BaseClustering",
    voices: Voices,
    wanted: Wanted,
    check: Check,
    most: int = MOST_CLUSTERED,
) -> Assigned:
    """The speakers of a recording, as `clustering` finds them among at most `most` embeddings.

    With fewer than that the result is pyannote's own. Where there are more, the linkage sees
    those that `spread` chooses; all others join the nearest centroid, which is what pyannote
    itself does with every embedding at the end.

    Args:
        clustering: VBx (community-1) or agglomerative (3.1), with its thresholds.
        voices: One vector for each active column.
        wanted: How many speakers there are, as far as somebody knows.
        check: Called before each slice.
        most: Embeddings that the linkage sees.
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
    clustering: "AgglomerativeClustering", vectors: Floats, wanted: Wanted, most: int
) -> Floats:
    exact, least, greatest = clustering.set_num_clusters(
        len(vectors), wanted.exact, wanted.minimum, wanted.maximum
    )
    if greatest < 2:  # noqa: PLR2004  # nothing to tell apart
        return _mean(vectors)
    chosen = vectors[spread(len(vectors), most)]
    with _smaller_clusters(clustering, len(chosen) / len(vectors)):
        # a copy: pyannote makes unit vectors of them in place
        labels = clustering.cluster(chosen.copy(), least, greatest, exact)
    return np.stack([chosen[labels == label].mean(0) for label in range(labels.max() + 1)])


@contextlib.contextmanager
def _smaller_clusters(clustering: "AgglomerativeClustering", share: float) -> Iterator[None]:
    """A cluster of 12 among all has about 12 times `share` among those chosen."""
    whole = clustering.min_cluster_size
    clustering.min_cluster_size = max(1, round(whole * share))
    try:
        yield
    finally:
        clustering.min_cluster_size = whole


def _vbx_centroids(
    clustering: "VBxClustering", vectors: Floats, wanted: Wanted, check: Check, most: int
) -> tuple[Floats, bool]:
    """Centroids, and whether the speakers of one chunk must differ."""
    if len(vectors) < 2:  # noqa: PLR2004  # nothing to tell apart
        return _mean(vectors), False
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first = _first_clusters(unit, clustering.threshold, check, most)
    check()
    features = clustering.plda(vectors)
    prior = Prior(clustering.plda.phi, clustering.Fa, clustering.Fb)
    found = speakers_of(first, features, vectors, prior, check)
    count = len(found.weight)
    wished = min(max(count, wanted.minimum), wanted.maximum, len(vectors))
    if wished != count:
        return _k_means(unit, vectors, int(wished)), False
    return found.total / found.weight[:, None], clustering.constrained_assignment


def _first_clusters(unit: Floats, threshold: float, check: Check, most: int) -> Indices:
    """Clusters to begin with, as pyannote makes them: centroid linkage, cut at the threshold."""
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
    """As pyannote does where VBx found another number of speakers than there are."""
    from sklearn.cluster import KMeans  # noqa: PLC0415

    means = KMeans(n_clusters=count, n_init=3, random_state=42)
    labels = means.fit_predict(unit)
    return np.stack([vectors[labels == label].mean(0) for label in range(count)])


def _similarity(vectors: Floats, centroids: npt.ArrayLike, check: Check) -> Floats:
    """2 less the cosine distance, (vectors, centroids); lowest for what is no number."""
    from scipy.spatial.distance import cdist  # noqa: PLC0415

    result = np.empty((len(vectors), len(np.asarray(centroids))))
    for low in range(0, len(vectors), _ROWS_AT_ONCE):
        check()
        rows = slice(low, low + _ROWS_AT_ONCE)
        result[rows] = 2 - cdist(vectors[rows], centroids, metric="cosine")
    return np.nan_to_num(result, nan=0.0)


def _one_each(chunk: Indices, similarity: Floats) -> Indices:
    """The best speakers of a chunk's voices, no two of them the same."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    result = np.full(len(chunk), NOBODY)
    edges = np.flatnonzero(np.diff(chunk)) + 1
    for rows in np.split(np.arange(len(chunk)), edges):
        voices, speakers = linear_sum_assignment(similarity[rows], maximize=True)
        result[rows[voices]] = speakers
    return result


def _mean(vectors: Floats) -> Floats:
    if len(vectors) == 0:
        return np.zeros((1, vectors.shape[1]), np.float32)
    return vectors.mean(0, keepdims=True)
