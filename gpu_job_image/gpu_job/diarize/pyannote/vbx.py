"""Variational Bayes over all embeddings in slices: its memory does not grow with their number.

The same as `pyannote.audio.utils.vbx.VBx` of 4.0.7 (Landini et al., Bayesian HMM clustering of
x-vector sequences, without the HMM), whose responsibilities of 58,000 embeddings for 2,000 first
clusters would take 0.9 GB, several times over. Numbers in brackets are equations of that paper.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

ROWS_AT_ONCE = 4096
MOST_ROUNDS = 20
_SMOOTHING = 7.0  # how sure the first clusters are: softmax of 7 for one's own, 0 for others
_ENOUGH = 1e-4  # a smaller gain of the bound ends it
_KEPT = 1e-7  # a smaller share of all embeddings is no speaker


@dataclass(frozen=True)
class Model:
    """What the speakers are believed to be: share (s,), mean and inverse precision (s, d)."""

    share: Doubles
    mean: Doubles
    spread: Doubles


@dataclass(frozen=True)
class Found:
    """The speakers that were kept, and the sum of `vectors` by responsibility."""

    weight: Doubles  # (speakers,)
    total: Doubles  # (speakers, dimension of the vectors)


@dataclass(frozen=True)
class Prior:
    """What is believed before anything is heard.

    phi: variance between speakers in the space of the PLDA (d,).
    fa: how much one embedding counts.
    fb: how much it takes to be a speaker.
    """

    phi: Doubles
    fa: float
    fb: float


def speakers_of(
    first: Indices,
    features: Doubles,
    vectors: npt.NDArray[np.float32],
    prior: Prior,
    check: Callable[[], None],
) -> Found:
    """Speakers among embeddings.

    Args:
        first: A cluster for each of them to begin with, 0, 1, … (n,).
        features: They in the space of the PLDA (n, d).
        vectors: They as they are (n, e), of which the centroids are made.
        prior: Of the PLDA and the pipeline.
        check: Called before each slice.
    """
    ratio = prior.fa / prior.fb
    scaled = features * np.sqrt(prior.phi)
    constant = -0.5 * ((features**2).sum(1) + features.shape[1] * np.log(2 * np.pi))
    size, sums = _first_sums(first, scaled)
    share = np.full(len(size), 1 / len(size))
    bound = -np.inf
    for _ in range(MOST_ROUNDS):
        inverse = 1 / (1 + ratio * size[:, None] * prior.phi)  # (17)
        model = Model(share, ratio * inverse * sums, inverse)  # (16)
        likelihood, total = 0.0, np.zeros((len(size), vectors.shape[1]))
        size, sums = np.zeros_like(size), np.zeros_like(sums)
        for low in range(0, len(first), ROWS_AT_ONCE):
            check()
            rows = slice(low, low + ROWS_AT_ONCE)
            belongs, gain = _responsibilities(model, scaled[rows], constant[rows], prior)
            likelihood += gain
            size += belongs.sum(0)
            sums += belongs.T @ scaled[rows]
            total += belongs.T @ vectors[rows]
        share = size / size.sum()
        before = bound
        bound = (
            likelihood + prior.fb * 0.5 * (np.log(inverse) - inverse - model.mean**2 + 1).sum()
        )  # (25)
        if bound - before < _ENOUGH:
            break
    kept = share > _KEPT
    return Found(size[kept], total[kept])


def _first_sums(first: Indices, scaled: Doubles) -> tuple[Doubles, Doubles]:
    """Size and sum of each speaker when every embedding mostly belongs to its first cluster."""
    count = int(first.max()) + 1
    own = np.exp(_SMOOTHING) / (np.exp(_SMOOTHING) + count - 1)
    other = (1 - own) / max(1, count - 1)
    members = np.bincount(first, minlength=count).astype(np.float64)
    sums = np.zeros((count, scaled.shape[1]))
    np.add.at(sums, first, scaled)
    size = (own - other) * members + other * len(first)
    return size, (own - other) * sums + other * scaled.sum(0)


def _responsibilities(
    model: Model, scaled: Doubles, constant: Doubles, prior: Prior
) -> tuple[Doubles, float]:
    """How much each embedding belongs to each speaker (n, s), and the likelihood of all."""
    offset = 0.5 * (model.spread + model.mean**2) @ prior.phi
    log = prior.fa * (scaled @ model.mean.T - offset + constant[:, None])  # (23)
    log += np.log(model.share + 1e-8)
    highest = log.max(1, keepdims=True)
    belongs = np.exp(log - highest)
    total = belongs.sum(1, keepdims=True)
    return belongs / total, float((np.log(total) + highest).sum())
