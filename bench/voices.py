"""Embeddings of a long conversation without its sound, to compare ways to cluster them."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gpu_job.diarize.pyannote.clusters import SpeakerCount
from gpu_job.diarize.pyannote.inference import Activity, Voices

if TYPE_CHECKING:
    from pyannote.audio.pipelines.clustering import BaseClustering

DIMENSION = 256  # of pyannote's WeSpeaker embedding
_FRAMES = 30
_WITHIN = 0.55  # the length of what differs from window to window, where a voice has length 1
_MIXED = 0.03  # of the embeddings lie between two voices
_OUT_OF = -2
_SEED = 5


@dataclass(frozen=True)
class Prepared:
    """Two voices in each window, as `gpu_job` and as pyannote hold them."""

    voices: Voices
    activity: Activity


def prepared(count: int, voices: int) -> Prepared:
    """`count` embeddings of voices; the rarest speaks a tenth as much as the first.

    A tenth of them is heard for too short a time to be clustered.
    """
    dice = np.random.default_rng(_SEED)
    chunks = count // 2
    share = np.linspace(1, 0.1, voices)
    keys = np.log(dice.random((chunks, voices))) / share  # two different ones, by their share
    who = np.argsort(-keys, axis=1)[:, :2].ravel()
    centres = _unit(dice.normal(size=(voices, DIMENSION)))
    vectors = centres[who] + _WITHIN * dice.normal(size=(count, DIMENSION)) / DIMENSION**0.5
    mixed = np.flatnonzero(dice.random(count) < _MIXED)
    vectors[mixed] += centres[dice.integers(0, voices, len(mixed))]
    clear = dice.random(count) > 0.1
    activity = np.zeros((chunks, _FRAMES, 3), np.uint8)
    activity[:, :15, 0] = activity[:, 15:, 1] = 1
    for row in np.flatnonzero(~clear):
        activity[row // 2, :, row % 2] = 0
        activity[row // 2, 14 if row % 2 == 0 else 15, row % 2] = 1
    chunk, column = np.divmod(np.arange(count), 2)
    return Prepared(Voices(chunk, column, vectors.astype(np.float32), clear), activity)


def clustering_of(kind: str, folder: Path | None = None) -> "BaseClustering":
    """pyannote's own clustering with the thresholds of community-1 or 3.1."""  # noqa: D403
    from pyannote.audio.core.plda import PLDA  # noqa: PLC0415
    from pyannote.audio.pipelines.clustering import (  # noqa: PLC0415
        AgglomerativeClustering,
        VBxClustering,
    )

    from bench.tone_models import THRESHOLDS, write_plda  # noqa: PLC0415

    if kind == "3.1":
        clustering = AgglomerativeClustering()
    else:
        with TemporaryDirectory() as made:
            write_plda(folder or Path(made), DIMENSION, _WITHIN**2 / (1 + _WITHIN**2))
            clustering = VBxClustering(PLDA.from_pretrained(folder or made))
    return clustering.instantiate(THRESHOLDS[kind]["clustering"])


def pyannote_labels(
    clustering: "BaseClustering", crowd: Prepared, wanted: SpeakerCount | None = None
) -> npt.NDArray[np.int64]:
    """The label of each embedding by pyannote, which links all that are clear."""
    from pyannote.core import SlidingWindow, SlidingWindowFeature  # noqa: PLC0415

    wanted = wanted or SpeakerCount(None, 1, np.inf)
    voices = crowd.voices
    vectors = np.ones((*crowd.activity.shape[::2], DIMENSION), np.float32)
    vectors[voices.chunk, voices.speaker] = voices.vectors
    window = SlidingWindow(start=0, duration=10, step=1)
    labels, _, _ = clustering(
        embeddings=vectors,
        segmentations=SlidingWindowFeature(crowd.activity.astype(np.float32), window),
        num_clusters=wanted.exact,
        min_clusters=wanted.minimum,
        max_clusters=wanted.maximum,
    )
    return labels[voices.chunk, voices.speaker]


def agreement(ours: npt.NDArray[np.intp], theirs: npt.NDArray[np.int64]) -> float:
    """The share of equal labels under the best pairing; no speaker pairs with no speaker."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    table = np.zeros((ours.max() + 1, theirs.max() + 1))
    both = (ours >= 0) & (theirs >= 0)
    np.add.at(table, (ours[both], theirs[both]), 1)
    paired = table[linear_sum_assignment(table, maximize=True)].sum()
    silent = np.count_nonzero((ours == _OUT_OF) & (theirs == _OUT_OF))
    return float((paired + silent) / len(ours))


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
