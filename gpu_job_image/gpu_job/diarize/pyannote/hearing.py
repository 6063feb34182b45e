"""What the two models hear in each chunk: who of three speaks when, and with which voice."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...audio import Samples
from .chunks import Chunks, Floats, Indices, in_batches
from .loading import Parts

_LEAST_ALONE = 0.2  # BaseClustering.filter_embeddings of pyannote.audio 4.0.7

Activity = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Voices:
    """One vector for each speaker of each chunk who says anything in it, in time order.

    chunk, speaker: the row and the column of `Activity` (n,).
    vectors: (n, dimension).
    clear: those heard alone for long enough to be clustered, not only assigned, bool (n,).
    """

    chunk: Indices
    speaker: Indices
    vectors: Floats
    clear: npt.NDArray[np.bool_]


def hear_activity(
    parts: Parts, samples: Samples, chunks: Chunks, check: Callable[[], None]
) -> Activity:
    """1 where a speaker of a chunk is active, else 0: (chunks heard, frames, speakers).

    A speaker's column means nothing beyond its chunk. 8 h take 51 MB so, and four times as much
    in pyannote's float32.
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
    """The voices of all who speak.

    pyannote computes the features of a chunk once for each of its three columns, active or not;
    here once for all, and never for a chunk in which nobody speaks: that is two thirds of the
    work on a card.
    """
    import torch  # noqa: PLC0415

    # the frames of the shortest input that the embedding takes, as pyannote reckons them
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
