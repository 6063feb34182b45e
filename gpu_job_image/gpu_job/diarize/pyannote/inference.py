"""Runs the two models: speaker activity in each chunk, and the embedding of each voice."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...common.audio import Samples
from ..chunks import Chunks, Floats, Indices, in_batches
from .load_pipeline import Parts

_LEAST_ALONE = 0.2  # BaseClustering.filter_embeddings of pyannote.audio 4.0.7

Activity = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Voices:
    """One vector for each active speaker of each chunk, in time order.

    chunk, speaker: the row and the column of `Activity` (n,).
    vectors: (n, dimension).
    clear: enough solo speech to be clustered, not only assigned, bool (n,).
    """

    chunk: Indices
    speaker: Indices
    vectors: Floats
    clear: npt.NDArray[np.bool_]


def hear_activity(
    parts: Parts, samples: Samples, chunks: Chunks, check: Callable[[], None]
) -> Activity:
    """1 where a speaker of a chunk is active, otherwise 0: (chunks heard, frames, speakers).

    Speaker columns of different chunks are unrelated. 8 h take 51 MB, a quarter of pyannote's
    float32.
    """
    import torch  # noqa: PLC0415

    def work(numbers: Indices) -> Activity:
        waveforms = torch.from_numpy(chunks.waveforms(samples, numbers))
        return parts.segmentation.infer(waveforms).astype(np.uint8)

    return np.concatenate(in_batches(chunks.heard, parts.segmentation_batch, work, check))


def hear_voices(
    parts: Parts,
    samples: Samples,
    chunks: Chunks,
    activity: Activity,
    check: Callable[[], None],
) -> Voices:
    """The embeddings of all active speakers.

    pyannote computes the features of a chunk for each of its three columns, active or not. Here
    they are computed once, and not for silent chunks, which saves two thirds of the GPU work.
    """
    import torch  # noqa: PLC0415

    # the frames of the shortest input of the embedding, computed as in pyannote
    least = math.ceil(activity.shape[1] * parts.least_samples / chunks.size)

    def work(rows: Indices) -> Floats:
        masks = _masks(activity[rows], least, exclude_overlap=parts.exclude_overlap)
        waveforms = torch.from_numpy(chunks.waveforms(samples, chunks.heard[rows]))
        vectors = parts.embedding(waveforms, masks=torch.from_numpy(masks))
        return vectors[activity[rows].any(1)]

    chunk, speaker = np.nonzero(activity.any(1))
    vectors = np.concatenate(in_batches(np.unique(chunk), parts.embedding_batch, work, check))
    clear = _clear(activity)[chunk, speaker] & ~np.isnan(vectors).any(1)
    return Voices(chunk, speaker, vectors, clear)


def _masks(activity: Activity, least: int, *, exclude_overlap: bool) -> Floats:
    """Where to listen for each voice, (chunks, speakers, frames): alone if that is enough."""
    everywhere = activity.transpose(0, 2, 1).astype(np.float32)
    if not exclude_overlap:
        return everywhere
    alone = everywhere * (everywhere.sum(1, keepdims=True) < 2)  # noqa: PLR2004  # one or none
    enough = alone.sum(2, keepdims=True) > least
    return np.where(enough, alone, everywhere)


def _clear(activity: Activity) -> npt.NDArray[np.bool_]:
    """Whether a speaker is the only one in a fifth of the chunk, (chunks, speakers)."""
    single = activity.sum(2, dtype=np.uint8) == 1
    frames = np.einsum("cfs,cf->cs", activity, single, dtype=np.int32)
    return frames >= _LEAST_ALONE * activity.shape[1]
