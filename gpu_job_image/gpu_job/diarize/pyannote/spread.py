"""Which embeddings are clustered where there are too many."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.intp]

_SEED = 0  # the same recording, the same speakers


def spread(count: int, most: int) -> Indices:
    """At most `most` of `count` things in time order, one out of each of `most` equal stretches.

    Which one of its stretch is left to chance, from a fixed seed: with every third, say, of
    embeddings that alternate between three speakers, one speaker would be all there is.
    """
    if count <= most:
        return np.arange(count)
    edges = np.arange(most + 1) * count // most
    return np.random.default_rng(_SEED).integers(edges[:-1], edges[1:])
