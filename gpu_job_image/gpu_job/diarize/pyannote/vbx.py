"""Variational Bayes over all embeddings in slices, so memory does not grow with their number.

Equivalent to `pyannote.audio.utils.vbx.VBx` of 4.0.7 (Landini et al., Bayesian HMM clustering of
x-vector sequences, without the HMM). There, the responsibilities of 58,000 embeddings for 2,000
initial clusters take 0.9 GB, several times. Numbers in parentheses are equations of that paper.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

ROWS_AT_ONCE = 4096
MOST_ROUNDS = 20
_SMOOTHING = (
    7.0  # certainty of the initial clusters: softmax of 7 for the own cluster, 0 for others
)
_ENOUGH = 1e-4  # stop at a smaller gain of the bound
_KEPT = 1e-7  # speakers with a smaller share of embeddings are dropped


@dataclass(frozen=True)
class Model:
    """The speaker model: share (s,), mean and inverse precision (s, d)."""

    share: Doubles
    mean: Doubles
    spread: Doubles


@dataclass(frozen=True)
class VbxResult:
    """The speakers found, and the sum of `vectors` weighted by responsibility."""

    weight: Doubles  # (speakers,)
    total: Doubles  # (speakers, dimension of the vectors)


@dataclass(frozen=True)
class Prior:
    """The prior of the speaker model.

    phi: variance between speakers in the space of the PLDA (d,).
    fa: the weight of one embedding.
    fb: the cost of an additional speaker.
    """

    phi: Doubles
    fa: float
    fb: float


@dataclass(frozen=True)
class _Embeddings:
    """Scaled for the PLDA (n, d), the constant of their likelihood (n,), and unscaled."""

    scaled: Doubles
    constant: Doubles
    vectors: npt.NDArray[np.float32]  # (n, e)


@dataclass(frozen=True)
class _Sums:
    """Sums of the responsibilities, and of the embeddings by them, for each speaker."""

    size: Doubles
    scaled: Doubles
    vectors: Doubles
    likelihood: float  # of all embeddings


def speakers_of(
    first: Indices,
    features: Doubles,
    vectors: npt.NDArray[np.float32],
    prior: Prior,
    check: Callable[[], None],
) -> VbxResult:
    """Speakers among embeddings.

    Args:
        first: An initial cluster for each of them, 0, 1, … (n,).
        features: The embeddings in the space of the PLDA (n, d).
        vectors: The original embeddings (n, e), from which the centroids are computed.
        prior: Of the PLDA and the pipeline.
        check: Called before each slice.
    """
    ratio = prior.fa / prior.fb
    scaled = features * np.sqrt(prior.phi)
    constant = -0.5 * ((features**2).sum(1) + features.shape[1] * np.log(2 * np.pi))
    given = _Embeddings(scaled, constant, vectors)
    size, sums = _first_sums(first, scaled)
    share = np.full(len(size), 1 / len(size))
    bound = -np.inf
    for _ in range(MOST_ROUNDS):
        inverse = 1 / (1 + ratio * size[:, None] * prior.phi)  # (17)
        model = Model(share, ratio * inverse * sums, inverse)  # (16)
        summed = _by_responsibility(model, given, prior, check)
        size, sums = summed.size, summed.scaled
        share = size / size.sum()
        before, bound = bound, _lower_bound(summed.likelihood, model, prior)
        if bound - before < _ENOUGH:
            break
    kept = share > _KEPT
    return VbxResult(size[kept], summed.vectors[kept])


def _by_responsibility(
    model: Model, given: _Embeddings, prior: Prior, check: Callable[[], None]
) -> _Sums:
    """Sums for each speaker, and the total likelihood, slice by slice."""
    count, likelihood = len(model.share), 0.0
    size, sums = np.zeros(count), np.zeros((count, given.scaled.shape[1]))
    total = np.zeros((count, given.vectors.shape[1]))
    for low in range(0, len(given.scaled), ROWS_AT_ONCE):
        check()
        rows = slice(low, low + ROWS_AT_ONCE)
        belongs, gain = _responsibilities(model, given.scaled[rows], given.constant[rows], prior)
        likelihood += gain
        size += belongs.sum(0)
        sums += belongs.T @ given.scaled[rows]
        total += belongs.T @ given.vectors[rows]
    return _Sums(size, sums, total, likelihood)


def _lower_bound(likelihood: float, model: Model, prior: Prior) -> float:
    """The lower bound (25), which increases in every round."""
    surprise = (np.log(model.spread) - model.spread - model.mean**2 + 1).sum()
    return float(likelihood + prior.fb * 0.5 * surprise)


def _first_sums(first: Indices, scaled: Doubles) -> tuple[Doubles, Doubles]:
    """Size and sum of each speaker if every embedding mostly belongs to its initial cluster."""
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
    """The responsibilities of speakers for embeddings (n, s), and the total likelihood."""
    offset = 0.5 * (model.spread + model.mean**2) @ prior.phi
    log = prior.fa * (scaled @ model.mean.T - offset + constant[:, None])  # (23)
    log += np.log(model.share + 1e-8)
    highest = log.max(1, keepdims=True)
    belongs = np.exp(log - highest)
    total = belongs.sum(1, keepdims=True)
    return belongs / total, float((np.log(total) + highest).sum())
