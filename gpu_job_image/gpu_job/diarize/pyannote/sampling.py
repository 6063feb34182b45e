"""Chooses which embeddings are clustered if there are too many."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.intp]

_SEED = 0  # fixed, so that results are reproducible


def spread(count: int, most: int) -> Indices:
    """Indices of at most `most` of `count` items, one from each of `most` equal ranges.

    The choice within a range is random with a fixed seed: every third of the embeddings of three
    alternating speakers, for example, would contain only one speaker.
    """
    if count <= most:
        return np.arange(count)
    edges = np.arange(most + 1) * count // most
    return np.random.default_rng(_SEED).integers(edges[:-1], edges[1:])
