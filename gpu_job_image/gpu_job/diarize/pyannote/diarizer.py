"""The diarizer with pyannote's models."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...common.audio import Samples
from ...contract import SpeakerEmbedding, Speakers, SpeechRegion, Turn
from ..base import Diarization
from ..chunks import Chunks, Floats, Indices
from .clusters import MOST_CLUSTERED, NO_SPEAKER, SpeakerCount, assign
from .inference import Activity, hear_activity, hear_voices
from .turns import Grid, Run, active_speakers, count_speakers, runs

if TYPE_CHECKING:
    from ...common.settings import WorkerSettings
    from .load_pipeline import Parts

NAME = "pyannote"


class PyannoteDiarizer:
    """pyannote's community-1 or 3.1.

    A recording is processed in windows that fit the GPU, never as a whole.

    Args:
        parts: The loaded models.
        segmentation_batch: Windows segmented together; None: the pipeline's default.
        embedding_batch: Windows embedded together; None: the pipeline's default.
        most_clustered: Maximum embeddings in the linkage; memory and time grow quadratically.
    """

    def __init__(
        self,
        parts: "Parts",
        *,
        segmentation_batch: int | None = None,
        embedding_batch: int | None = None,
        most_clustered: int = MOST_CLUSTERED,
    ) -> None:
        self._parts = replace(
            parts,
            segmentation_batch=segmentation_batch or parts.segmentation_batch,
            embedding_batch=embedding_batch or parts.embedding_batch,
        )
        self._most_clustered = most_clustered

    @classmethod
    def load(cls, settings: "WorkerSettings") -> "PyannoteDiarizer":
        """Load the models of the settings onto their device.

        Raises:
            LicenceError: the hub requires a token, or accepted terms.
            ModelMissingError: neither a folder nor available on the hub.
        """
        from .load_pipeline import load_parts  # noqa: PLC0415  # torch takes 5 s

        return cls(load_parts(settings))

    def diarize(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        speakers: Speakers,
        check: Callable[[], None],
    ) -> Diarization:
        """See `Diarizer.diarize`; may raise OutOfMemoryError."""
        model = self._parts.segmentation
        chunks = Chunks.over(samples.shape[1], regions, model.duration, model.step)
        if not len(chunks.heard):
            return Diarization(by=NAME)
        activity = hear_activity(self._parts, samples, chunks, check)
        if not activity.any():
            return Diarization(by=NAME)
        voices = hear_voices(self._parts, samples, chunks, activity, check)
        wanted = _wanted(speakers)
        check()
        found = assign(self._parts.clustering, voices, wanted, check, self._most_clustered)
        speaker = np.full((activity.shape[0], activity.shape[2]), NO_SPEAKER)
        speaker[voices.chunk, voices.speaker] = found.speaker
        together, exclusive = self._runs(chunks, activity, speaker, wanted.maximum, check)
        names = _names(together)
        return Diarization(
            _turns(together, names),
            _turns(exclusive, names),
            _embeddings(found.centroids, names),
            NAME,
        )

    def _runs(
        self,
        chunks: Chunks,
        activity: Activity,
        speaker: Indices,
        most: float,
        check: Callable[[], None],
    ) -> tuple[list[Run], list[Run]]:
        grid = Grid.of(chunks, self._parts.segmentation.model.receptive_field)
        count = count_speakers(activity, grid, check)
        count = np.minimum(count, most).astype(np.uint8)
        together, exclusive = active_speakers(activity, speaker, count, grid, check)
        # if joined across a pause, an exclusive turn could cover another speaker's turn
        return runs(together, grid, self._parts.join_seconds), runs(exclusive, grid)


def _wanted(speakers: Speakers) -> SpeakerCount:
    from pyannote.audio.pipelines.utils.diarization import set_num_speakers  # noqa: PLC0415

    return SpeakerCount(*set_num_speakers(speakers.exact, speakers.minimum, speakers.maximum))


def _names(found: list[Run]) -> dict[int, str]:
    """SPEAKER_00, SPEAKER_01, … in order of appearance."""
    return {one: f"SPEAKER_{i:02d}" for i, one in enumerate(dict.fromkeys(r[2] for r in found))}


def _turns(found: list[Run], names: dict[int, str]) -> tuple[Turn, ...]:
    return tuple(Turn(start_ms=a, end_ms=b, speaker=names[one]) for a, b, one in found)


def _embeddings(centroids: Floats, names: dict[int, str]) -> tuple[SpeakerEmbedding, ...]:
    """Embeddings of the speakers that have one: those with clear speech."""
    return tuple(
        SpeakerEmbedding(speaker=name, vector=tuple(centroids[one].tolist()))
        for one, name in names.items()
        if one < len(centroids) and centroids[one].any()
    )
