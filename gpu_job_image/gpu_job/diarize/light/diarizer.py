"""The light diarizer: two small networks, in bounded memory."""

from pathlib import Path

import numpy as np

from ...common.audio import SAMPLES_PER_MS, Samples
from ...contract import SpeakerEmbedding, Speakers, SpeechRegion, Turn
from ...contract.diarizer_rules import voices_identity
from ..base import Check, Diarization
from ..chunks import Chunks
from .clustering import Grouped, Rules, group
from .inference import STEP_SECONDS, WINDOW_SECONDS, hear_activity, hear_voices
from .networks import Networks
from .overlapped_speech import heard_at_once
from .speaker_changes import beginnings
from .turns import turns_of

NAME = "light"


class LightDiarizer:
    """Finds up to three speakers in windows of 10 s, embeds each voice, clusters the vectors."""

    def __init__(self, networks: Networks, rules: Rules | None = None) -> None:
        self._networks, self._rules = networks, rules or Rules()

    @classmethod
    def load(cls, folder: Path) -> "LightDiarizer":
        """Load the networks from a folder created by `gpu_job.diarizer_weights`.

        Raises:
            ModelMissingError: a file there is missing or damaged.
        """
        return cls(Networks.load(folder))

    @property
    def revision(self) -> str:
        """The revision of networks and rules, as in job options."""
        return voices_identity(self._networks.revision)

    def diarize(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        speakers: Speakers,
        check: Check,
    ) -> Diarization:
        """See `Diarizer.diarize`."""
        chunks = Chunks.over(samples.shape[1], regions, WINDOW_SECONDS, STEP_SECONDS)
        if not len(chunks.heard):
            return Diarization(by=NAME)
        heard = hear_activity(self._networks, samples, chunks, check)
        pieces = hear_voices(self._networks, samples, heard, check)
        check()
        if not len(pieces.vectors):
            return _one_voice(regions)
        together = heard_at_once(heard, pieces)
        found = group(pieces, speakers, self._rules, check, together)
        end_ms = samples.shape[1] // SAMPLES_PER_MS
        begins = beginnings(self._networks, (samples, heard), pieces, found, check)
        runs = turns_of(heard, pieces, found, end_ms, begins)
        names = {one: f"SPEAKER_{i:02d}" for i, one in enumerate(dict.fromkeys(r[2] for r in runs))}
        turns = tuple(Turn(start_ms=a, end_ms=b, speaker=names[one]) for a, b, one in runs)
        return Diarization(turns, embeddings=_voices(found, names), by=NAME)


def _one_voice(regions: tuple[SpeechRegion, ...]) -> Diarization:
    """One speaker for all regions: the speech spans are too short to separate voices."""
    turns = (
        Turn(start_ms=region.start_ms, end_ms=region.end_ms, speaker="SPEAKER_00")
        for region in regions
        if region.end_ms > region.start_ms
    )
    return Diarization(tuple(turns), by=NAME)


def _voices(found: Grouped, names: dict[int, str]) -> tuple[SpeakerEmbedding, ...]:
    return tuple(
        SpeakerEmbedding(
            speaker=name, vector=tuple(np.round(found.centroids[one].astype(float), 5).tolist())
        )
        for one, name in names.items()
    )
